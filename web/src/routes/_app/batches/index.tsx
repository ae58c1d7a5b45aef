import { SegmentedControl } from "@mantine/core";
import { IconChecklist } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { batchesQuery } from "../../../api/queries.ts";
import type { Batch, BatchState } from "../../../api/types.ts";
import { FailedOr } from "../../../display/FailedOr.tsx";
import { count, title, volume, words } from "../../../display/format.ts";
import { Nothing } from "../../../display/Nothing.tsx";
import { Older } from "../../../display/Older.tsx";
import { PageHead } from "../../../display/PageHead.tsx";
import { Panel } from "../../../display/Panel.tsx";
import { StateBadge } from "../../../display/StateBadge.tsx";
import { LabWhen, When } from "../../../display/When.tsx";
import { type Column, DataTable } from "../../../tables/DataTable.tsx";

const STATES: BatchState[] = ["awaiting_approval", "approved", "planned", "rejected", "withdrawn"];

export const Route = createFileRoute("/_app/batches/")({
  validateSearch: (search: Record<string, unknown>): { state?: BatchState } => ({
    state: STATES.find((state) => state === search.state),
  }),
  component: Page,
});

const id = (batch: Batch) => batch.id;

function Page() {
  const { state = "awaiting_approval" } = Route.useSearch();
  const navigate = useNavigate();
  const batches = useInfiniteQuery(batchesQuery(state));
  const rows = useMemo(() => batches.data?.pages.flatMap((page) => page.items), [batches.data]);
  const columns = useMemo(makeColumns, []);
  return (
    <>
      <PageHead title="Batches" note="What rounds ask for; each waits here until people approve it." />
      <Panel
        title={state === "awaiting_approval" ? "Waiting for approval" : `Batches that are ${words(state)}`}
        flush
        actions={
          <SegmentedControl
            aria-label="State"
            value={state}
            onChange={(value) => navigate({ to: "/batches", search: { state: value as BatchState } })}
            data={STATES.map((it) => ({
              value: it,
              label: it === "awaiting_approval" ? "Waiting" : title(it),
            }))}
          />
        }
      >
        <FailedOr read={batches} what="The batches cannot be read">
          <DataTable
            label="Batches"
            main
            rows={rows}
            columns={columns}
            id={id}
            open={(batch) => navigate({ to: "/batches/$batchId", params: { batchId: batch.id } })}
            empty={
              <Nothing
                icon={IconChecklist}
                title={state === "awaiting_approval" ? "No batch waits" : `No batch is ${words(state)}`}
              >
                When a round begins, the model proposes a batch; it stands here until somebody approves or
                rejects it.
              </Nothing>
            }
          />
        </FailedOr>
        <Older read={batches} words={state === "awaiting_approval" ? "Newer ones" : undefined} ruled />
      </Panel>
    </>
  );
}

function makeColumns(): Column<Batch>[] {
  return [
    {
      key: "campaign",
      title: "Campaign",
      by: (it) => it.campaign,
      cell: (it) => <strong title={it.campaign}>{it.campaign}</strong>,
    },
    { key: "round", title: "Round", numeric: true, by: (it) => it.round, cell: (it) => it.round },
    { key: "state", title: "State", by: (it) => it.state, cell: (it) => <StateBadge state={it.state} /> },
    {
      key: "selected",
      title: "Experiments",
      numeric: true,
      by: (it) => it.selected,
      cell: (it) => count(it.selected),
    },
    {
      key: "plates",
      title: "Plates",
      numeric: true,
      cell: (it) => (it.draft?.plan === "possible" ? it.draft.summary.plates : "–"),
    },
    {
      key: "volume",
      title: "Reagents",
      numeric: true,
      from: 700,
      cell: (it) => (it.draft?.plan === "possible" ? volume(it.draft.summary.volume_nl) : "–"),
    },
    {
      key: "approvals",
      title: "Approvals",
      from: 800,
      cell: (it) => `${it.approval.given} of ${it.approval.needed}`,
    },
    {
      key: "expires",
      title: "Expires",
      from: 900,
      by: (it) => it.approval.expires_lab_at,
      cell: (it) => <LabWhen at={it.approval.expires_lab_at} short />,
    },
    {
      key: "created",
      title: "Proposed",
      by: (it) => it.created_at,
      cell: (it) => <When at={it.created_at} />,
    },
  ];
}
