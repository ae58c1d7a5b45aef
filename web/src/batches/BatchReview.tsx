import { Alert, Button, Group, SegmentedControl, Text, TextInput, Tooltip } from "@mantine/core";
import { IconCheck, IconFilter, IconPlus, IconTrash, IconX } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { roundQuery } from "../api/queries.ts";
import type { Proposal, Round } from "../api/types.ts";
import { plural } from "../display/format.ts";
import { Nothing } from "../display/Nothing.tsx";
import { PageHead } from "../display/PageHead.tsx";
import { Panel } from "../display/Panel.tsx";
import { StateBadge } from "../display/StateBadge.tsx";
import { When } from "../display/When.tsx";
import { useMay } from "../session/may.ts";
import { isTyping } from "../shell/typing.ts";
import { AddDialog, emptyAddForm } from "./AddDialog.tsx";
import { ApprovalPanel } from "./ApprovalPanel.tsx";
import { ApproveDialog } from "./ApproveDialog.tsx";
import classes from "./BatchReview.module.css";
import { Comments } from "./Comments.tsx";
import { DoubtPlot } from "./DoubtPlot.tsx";
import { DraftPlates } from "./DraftPlates.tsx";
import { EXPIRED, HeldNotice } from "./HeldNotice.tsx";
import { OutdatedNotice } from "./OutdatedNotice.tsx";
import { PlanFacts } from "./PlanFacts.tsx";
import { PlanNotice } from "./PlanNotice.tsx";
import { ProposalTable } from "./ProposalTable.tsx";
import { emptyRejectForm, RejectDialog } from "./RejectDialog.tsx";
import { RemoveDialog } from "./RemoveDialog.tsx";
import { experimentKey, isBehind, type Review } from "./review.ts";
import type { useReview } from "./useReview.ts";

type List = "selected" | "runner_up" | "removed";
type Dialog = "approve" | "reject" | "remove" | "add" | null;
type Props = Omit<ReturnType<typeof useReview>, "review" | "error"> & { review: Review };

/** A batch as its reviewer sees it: the experiments, the doubt, the plates, and what can be decided. */
export function BatchReview({ review, look, lookAtPlan, took, refetch }: Props) {
  const client = useQueryClient();
  const { batch, proposals } = review.seen;
  const [list, setList] = useState<List>("selected");
  const [filter, setFilter] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [looked, setLooked] = useState<string | null>(null);
  const [dialog, setDialog] = useState<Dialog>(null);
  // What is typed outlives dialogs and conflicts.
  const [remark, setRemark] = useState("");
  const [removeReason, setRemoveReason] = useState("");
  const [addForm, setAddForm] = useState(emptyAddForm);
  const [rejectForm, setRejectForm] = useState(emptyRejectForm);

  const lists = useMemo(() => byStatus(proposals), [proposals]);
  const shown = useMemo(() => filtered(lists[list], filter), [lists, list, filter]);
  const isSelected = useMemo(() => new Set(lists.selected.map((it) => it.id)), [lists]);
  const toRemove = useMemo(() => lists.selected.filter((it) => chosen.has(it.id)), [lists, chosen]);

  const waits = batch.state === "awaiting_approval";
  const mayEdit = useMay("batch:edit") && waits;
  const hasRole = useMay("batch:approve");
  const round = useQuery({ ...roundQuery(batch.round_id), enabled: waits });
  const held = round.data?.state === "held";
  const whyNot = approvalFault(review, held ? round.data : undefined);
  const behind = isBehind(review);
  const closed = batch.state === "planned" || batch.state === "approved";

  const renew = useCallback(() => {
    void refetch();
    for (const name of ["batches", "comments", "progress", "tasks"])
      void client.invalidateQueries({ queryKey: [name] });
  }, [refetch, client]);

  const choose = useCallback(
    (id: string) => {
      if (!mayEdit || !isSelected.has(id)) return;
      setList("selected");
      setChosen((now) => {
        const next = new Set(now);
        if (!next.delete(id)) next.add(id);
        return next;
      });
    },
    [mayEdit, isSelected],
  );

  const openReject = () => {
    if (toRemove.length > 0 && rejectForm === emptyRejectForm) {
      setRejectForm({ ...emptyRejectForm, everything: false, experiments: toRemove.map(experimentKey) });
    }
    setDialog("reject");
  };

  useEffect(() => {
    const does: Record<string, (() => void) | undefined> = {
      a: whyNot === null ? () => setDialog("approve") : undefined,
      n: mayEdit ? () => setDialog("add") : undefined,
      r: mayEdit && toRemove.length > 0 ? () => setDialog("remove") : undefined,
      v: behind ? look : undefined,
    };
    const listen = (event: KeyboardEvent) => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      const act = does[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  });

  const close = () => setDialog(null);
  return (
    <>
      <PageHead
        title={`Batch of round ${batch.round}`}
        above={[
          { label: "Campaigns", link: { to: "/campaigns" } },
          {
            label: batch.campaign,
            link: { to: "/campaigns/$campaignId", params: { campaignId: batch.campaign_id } },
          },
        ]}
        badge={<StateBadge state={batch.state} />}
        note={
          <>
            Revision {batch.revision}
            {batch.generation > 1 ? `, proposed for the ${ordinal(batch.generation)} time` : ""} · proposed{" "}
            <When at={batch.created_at} />
          </>
        }
        actions={
          waits ? (
            <>
              <Button
                variant="default"
                leftSection={<IconX size={16} />}
                disabled={!hasRole}
                onClick={openReject}
              >
                Reject…
              </Button>
              <Tooltip label={whyNot ?? "Approve (a)"}>
                <Button
                  leftSection={<IconCheck size={16} />}
                  data-disabled={whyNot !== null || undefined}
                  aria-disabled={whyNot !== null}
                  onClick={(event) => (whyNot === null ? setDialog("approve") : event.preventDefault())}
                >
                  Approve…
                </Button>
              </Tooltip>
            </>
          ) : null
        }
      />
      <div className={classes.notices}>
        {behind && dialog === null ? <OutdatedNotice review={review} look={look} /> : null}
        {!behind && dialog === null ? <PlanNotice review={review} look={lookAtPlan} /> : null}
        {waits && held && round.data ? <HeldNotice round={round.data} /> : null}
        {waits && whyNot && !behind && !held ? (
          <Alert color="gray" variant="light" py={8}>
            <Text size="sm">You cannot approve this batch: {whyNot}</Text>
          </Alert>
        ) : null}
      </div>
      <div className={classes.plan}>
        {batch.explanation ? (
          <Text size="sm" mb="xs" component="p">
            {batch.explanation}
          </Text>
        ) : null}
        <PlanFacts batch={batch} held={held} />
        {batch.draft?.plan === "possible" && batch.draft.differs_from ? (
          <Text size="sm" c="var(--lw-warn)" mt="xs">
            The live inventory asks for another plan than the one approved before: look at it again.
          </Text>
        ) : null}
      </div>
      <div className={classes.grid}>
        <Panel
          title="Experiments"
          flush
          className={classes.table}
          actions={
            <Group gap="xs" wrap="nowrap">
              <SegmentedControl
                aria-label="Which experiments"
                value={list}
                onChange={(value) => setList(value as List)}
                data={[
                  { value: "selected", label: `Selected ${lists.selected.length}` },
                  { value: "runner_up", label: `Runners-up ${lists.runner_up.length}` },
                  { value: "removed", label: `Removed ${lists.removed.length}` },
                ]}
              />
              <TextInput
                data-page-filter
                aria-label="Filter experiments"
                placeholder="Filter ( / )"
                size="xs"
                w={130}
                leftSection={<IconFilter size={13} />}
                value={filter}
                onChange={(event) => setFilter(event.currentTarget.value)}
                onKeyDown={(event) => {
                  if (event.key === "Escape") {
                    setFilter("");
                    event.currentTarget.blur();
                  }
                }}
              />
            </Group>
          }
        >
          <ProposalTable
            key={list}
            label="Experiments"
            proposals={shown}
            withFate={closed && list === "selected"}
            withReasonRemoved={list === "removed"}
            fresh={review.fresh}
            chosen={mayEdit && list === "selected" ? chosen : undefined}
            choose={setChosen}
            looked={looked}
            onLook={setLooked}
            height="max(420px, calc(100dvh - 330px))"
            main
            empty={<EmptyList list={list} filter={filter} />}
          />
          {mayEdit ? (
            <div className={classes.foot}>
              <Text size="sm" c="dimmed">
                {toRemove.length > 0
                  ? `${plural(toRemove.length, "experiment")} chosen`
                  : "Choose experiments with x, or in the plot"}
              </Text>
              <Group gap="xs" ml="auto">
                {toRemove.length > 0 ? (
                  <Button size="xs" variant="subtle" color="gray" onClick={() => setChosen(new Set())}>
                    Choose none
                  </Button>
                ) : null}
                <Button
                  size="xs"
                  variant="default"
                  leftSection={<IconTrash size={14} />}
                  disabled={toRemove.length === 0}
                  onClick={() => setDialog("remove")}
                >
                  Remove…
                </Button>
                <Button
                  size="xs"
                  variant="default"
                  leftSection={<IconPlus size={14} />}
                  onClick={() => setDialog("add")}
                >
                  Add by hand…
                </Button>
              </Group>
            </div>
          ) : null}
        </Panel>
        <div className={classes.side}>
          <Panel title="Effect and ignorance" note="● selected  ○ runners-up">
            <DoubtPlot
              selected={lists.selected}
              runnersUp={lists.runner_up}
              chosen={chosen}
              looked={looked}
              onLook={setLooked}
              onChoose={choose}
              height={250}
            />
          </Panel>
          <DraftPlates
            batch={batch}
            proposals={proposals}
            looked={looked}
            onLook={setLooked}
            onChoose={choose}
          />
          <ApprovalPanel batch={batch} />
          <Comments batch={batch.id} />
        </div>
      </div>
      <ApproveDialog
        review={review}
        opened={dialog === "approve"}
        close={close}
        remark={remark}
        setRemark={setRemark}
        look={look}
        lookAtPlan={lookAtPlan}
        whyNot={whyNot}
        renew={renew}
      />
      <RejectDialog
        review={review}
        opened={dialog === "reject"}
        close={close}
        form={rejectForm}
        setForm={setRejectForm}
        look={look}
        renew={renew}
      />
      <RemoveDialog
        review={review}
        proposals={toRemove}
        opened={dialog === "remove"}
        close={close}
        reason={removeReason}
        setReason={setRemoveReason}
        look={look}
        renew={renew}
        removed={(id) => setChosen((now) => new Set([...now].filter((it) => it !== id)))}
        took={took}
      />
      <AddDialog
        review={review}
        opened={dialog === "add"}
        close={close}
        form={addForm}
        setForm={setAddForm}
        look={look}
        renew={renew}
        took={took}
      />
    </>
  );
}

function byStatus(proposals: Proposal[]): Record<List, Proposal[]> {
  const lists: Record<List, Proposal[]> = { selected: [], runner_up: [], removed: [] };
  for (const proposal of proposals) lists[proposal.status].push(proposal);
  return lists;
}

function filtered(proposals: Proposal[], filter: string): Proposal[] {
  const wanted = filter.trim().toLowerCase();
  if (!wanted) return proposals;
  return proposals.filter((it) =>
    `${it.perturbation} ${it.context} ${it.reason}`.toLowerCase().includes(wanted),
  );
}

/** Why the approve button is off; `null` when it is on. The server decides all the same. */
export function approvalFault({ seen }: Review, held?: Pick<Round, "reason_code">): string | null {
  const { batch } = seen;
  if (batch.state !== "awaiting_approval") return `it is ${batch.state.replaceAll("_", " ")}.`;
  if (held?.reason_code === EXPIRED)
    return "its time for approval is over; it waits for the round to be resumed.";
  if (held) return "its round is held; it waits for the round to be resumed.";
  if (!batch.approval.may_approve) return batch.approval.why_not ?? "the policy does not allow it.";
  if (!batch.draft) return "its plan is still being computed.";
  if (batch.draft.plan === "impossible") return "it cannot be carried out as it stands.";
  return null;
}

const ordinal = (n: number) => (n === 2 ? "second" : n === 3 ? "third" : `${n}th`);

function EmptyList({ list, filter }: { list: List; filter: string }) {
  if (filter) return <Nothing icon={IconFilter} title="Nothing fits the filter" />;
  if (list === "removed") {
    return (
      <Nothing icon={IconTrash} title="Nothing was removed">
        Experiments that a reviewer takes out stand here, with the reason.
      </Nothing>
    );
  }
  return (
    <Nothing
      icon={IconCheck}
      title={list === "selected" ? "No experiment is selected" : "No runners-up are left"}
    >
      {list === "selected"
        ? "Add one by hand, or reject the batch so that the model proposes anew."
        : "They stand in for experiments that are removed; the campaign says how many are kept."}
    </Nothing>
  );
}
