import { Autocomplete, Button, Group, Select, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery } from "@tanstack/react-query";
import { answer, api } from "../api/client.ts";
import { isMissing, isOutdated } from "../api/problem.ts";
import { campaignQuery } from "../api/queries.ts";
import type { Prediction } from "../api/types.ts";
import { Dialog } from "../display/Dialog.tsx";
import { number, percent } from "../display/format.ts";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { say } from "../display/said.ts";
import { useSayIfGone } from "../display/useSayIfGone.ts";
import classes from "./AddDialog.module.css";
import { add } from "./commands.ts";
import { OutdatedNotice } from "./OutdatedNotice.tsx";
import { experimentName, isBehind, type Review } from "./review.ts";

export type AddForm = { perturbation: string; context: string; reason: string };
export const emptyAddForm: AddForm = { perturbation: "", context: "", reason: "" };

type Props = {
  review: Review;
  opened: boolean;
  close: () => void;
  form: AddForm;
  setForm: (form: AddForm) => void;
  look: () => void;
  renew: () => void;
  took: (from: number, to: number) => Promise<void>;
};

const FAILED = "The experiment was not added";

/** Adds an experiment by hand; what the model says of it is looked up while one types, and never waited for. */
export function AddDialog({ review, opened, close, form, setForm, look, renew, took }: Props) {
  const { batch, proposals } = review.seen;
  const campaign = useQuery(campaignQuery(batch.campaign_id));
  const contexts = campaign.data?.spec.design.contexts ?? [...new Set(proposals.map((it) => it.context))];
  const context = form.context || contexts[0] || "";
  const perturbation = form.perturbation.trim();
  const there = proposals.find(
    (it) => it.perturbation === perturbation && it.context === context && it.status === "selected",
  );
  const sayIfGone = useSayIfGone(FAILED, opened);
  const adding = useMutation({
    mutationFn: () => add(batch.id, batch.revision, { perturbation, context, reason: form.reason.trim() }),
    onSuccess: async ({ revision, disposition }) => {
      say(
        disposition === "done"
          ? `${experimentName({ perturbation, context })} is in the batch.`
          : "It was in the batch already.",
      );
      setForm(emptyAddForm);
      close();
      if (revision !== batch.revision) await took(batch.revision, revision);
    },
    onError: (error) => {
      sayIfGone(error);
      renew();
    },
  });
  const outdated = isOutdated(adding.error);
  const leave = () => {
    adding.reset();
    close();
  };
  const runnersUp = proposals.filter((it) => it.status === "runner_up").map((it) => it.perturbation);
  return (
    <Dialog pending={adding.isPending} opened={opened} onClose={leave} title="Add an experiment by hand">
      <Stack gap="md">
        {isBehind(review) ? <OutdatedNotice review={review} look={look} refused={outdated} /> : null}
        {adding.error && !outdated ? <ProblemNotice what={FAILED} error={adding.error} /> : null}
        <Autocomplete
          label="Perturbation"
          description="A gene; several edits of one cell are joined by +. Runners-up are offered."
          data={[...new Set(runnersUp)]}
          limit={8}
          value={form.perturbation}
          onChange={(value) => setForm({ ...form, perturbation: value })}
          data-autofocus
          spellCheck={false}
        />
        {contexts.length > 1 ? (
          <Select
            label="Context"
            data={contexts}
            value={context}
            onChange={(value) => setForm({ ...form, context: value ?? "" })}
            allowDeselect={false}
          />
        ) : (
          <TextInput label="Context" value={context} readOnly variant="filled" />
        )}
        <LookedUp
          campaign={batch.campaign_id}
          perturbation={perturbation}
          context={context}
          there={Boolean(there)}
        />
        <Textarea
          label="Why"
          required
          withAsterisk={false}
          autosize
          minRows={2}
          value={form.reason}
          onChange={(event) => setForm({ ...form, reason: event.currentTarget.value })}
        />
        <Group justify="flex-end">
          <Button variant="default" disabled={adding.isPending} onClick={leave}>
            Back
          </Button>
          <Button
            loading={adding.isPending}
            disabled={!perturbation || !context || !form.reason.trim() || Boolean(there) || isBehind(review)}
            onClick={() => adding.mutate()}
          >
            Add
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

type LookUp = { campaign: string; perturbation: string; context: string; there: boolean };

/** The model's word on it, in a place of fixed height. */
function LookedUp({ campaign, perturbation, context, there }: LookUp) {
  const [asked] = useDebouncedValue(`${perturbation}@${context}`, 250);
  const settled = asked === `${perturbation}@${context}`;
  const found = useQuery({
    queryKey: ["prediction", campaign, perturbation, context],
    queryFn: ({ signal }) =>
      answer<Prediction>(
        api.GET("/api/v1/campaigns/{id}/predictions", {
          params: { path: { id: campaign }, query: { perturbation, context } },
          signal,
        }),
      ),
    enabled: settled && perturbation !== "" && context !== "",
    retry: false,
  });
  return (
    <div className={classes.word} aria-live="polite">
      {there ? (
        <Text size="sm">It is in the batch already.</Text>
      ) : perturbation === "" ? (
        <Text size="sm" c="dimmed">
          What the model predicts of it shows here.
        </Text>
      ) : found.data ? (
        <dl className={classes.numbers}>
          <div>
            <dt>Predicted mean</dt>
            <dd>{number(found.data.mean)}</dd>
          </div>
          <div>
            <dt>Epistemic sd</dt>
            <dd style={{ color: "var(--lw-epistemic)" }}>{number(found.data.epistemic_sd)}</dd>
          </div>
          <div>
            <dt>Aleatoric sd</dt>
            <dd style={{ color: "var(--lw-aleatoric-ink)" }}>{number(found.data.aleatoric_sd)}</dd>
          </div>
          <div>
            <dt>Hit probability</dt>
            <dd>{percent(found.data.hit_probability)}</dd>
          </div>
        </dl>
      ) : isMissing(found.error) ? (
        <Text size="sm" c="dimmed">
          The model has no prediction of {perturbation} in {context}: it is not in this campaign's design
          space, or is spelt differently.
        </Text>
      ) : found.error ? (
        <ProblemNotice error={found.error} />
      ) : (
        <Text size="sm" c="dimmed">
          Looking it up…
        </Text>
      )}
    </div>
  );
}
