import { Button, Group, MultiSelect, Stack, Switch, TagsInput, Text, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useMemo } from "react";
import { isOutdated } from "../api/problem.ts";
import type { Rejection } from "../api/types.ts";
import { Dialog } from "../display/Dialog.tsx";
import { plural } from "../display/format.ts";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { say } from "../display/said.ts";
import { useSayIfGone } from "../display/useSayIfGone.ts";
import { reject } from "./commands.ts";
import { OutdatedNotice } from "./OutdatedNotice.tsx";
import { experimentKey, genesOf, isBehind, type Review } from "./review.ts";

export type RejectForm = {
  reason: string;
  everything: boolean;
  experiments: string[];
  genes: string[];
  tags: string[];
};
export const emptyRejectForm: RejectForm = {
  reason: "",
  everything: true,
  experiments: [],
  genes: [],
  tags: [],
};

/** What is sent: no exclusions named means, to the server, all that are selected. */
export function rejectionOf(form: RejectForm): Rejection {
  if (form.everything) return { reason: form.reason.trim(), exclude: [] };
  return {
    reason: form.reason.trim(),
    exclude: form.experiments,
    exclude_genes: form.genes,
    exclude_tags: form.tags,
  };
}

/** What keeps the form from being sent. */
export function rejectFault(form: RejectForm): string | null {
  if (!form.reason.trim()) return "Say why: whoever reads the record, and the next proposal, needs it.";
  const names = form.experiments.length + form.genes.length + form.tags.length;
  if (!form.everything && names === 0) return "Name what is not to be proposed again, or exclude all of it.";
  return null;
}

type Props = {
  review: Review;
  opened: boolean;
  close: () => void;
  form: RejectForm;
  setForm: (form: RejectForm) => void;
  look: () => void;
  renew: () => void;
};

const FAILED = "The batch was not rejected";

export function RejectDialog({ review, opened, close, form, setForm, look, renew }: Props) {
  const { batch, proposals } = review.seen;
  const selected = useMemo(() => proposals.filter((it) => it.status === "selected"), [proposals]);
  const experiments = useMemo(
    () => selected.map((it) => ({ value: experimentKey(it), label: `${it.perturbation} in ${it.context}` })),
    [selected],
  );
  const genes = useMemo(
    () => [...new Set(selected.flatMap((it) => genesOf(it.perturbation)))].sort(),
    [selected],
  );
  const sayIfGone = useSayIfGone(FAILED, opened);
  const rejecting = useMutation({
    mutationFn: () => reject(batch.id, batch.revision, rejectionOf(form)),
    onSuccess: () => {
      setForm(emptyRejectForm);
      close();
      say("Rejected. The model proposes anew, without what you excluded.");
      renew();
    },
    onError: (error) => {
      sayIfGone(error);
      renew();
    },
  });
  const outdated = isOutdated(rejecting.error);
  const leave = () => {
    rejecting.reset();
    close();
  };
  const fault = rejectFault(form);
  return (
    <Dialog pending={rejecting.isPending} opened={opened} onClose={leave} title="Reject this batch" size="lg">
      <Stack gap="md">
        {isBehind(review) ? <OutdatedNotice review={review} look={look} refused={outdated} /> : null}
        {rejecting.error && !outdated ? <ProblemNotice what={FAILED} error={rejecting.error} /> : null}
        <Text size="sm">
          The round stays open: the model proposes a new batch ({plural(selected.length, "experiment")}), and
          you are asked again.
        </Text>
        <Textarea
          label="Why"
          required
          withAsterisk={false}
          autosize
          minRows={2}
          value={form.reason}
          onChange={(event) => setForm({ ...form, reason: event.currentTarget.value })}
          data-autofocus
        />
        <Switch
          label={`Exclude all ${selected.length} of it in this round`}
          description="Switched off, only what you name below is not proposed again."
          checked={form.everything}
          onChange={(event) => setForm({ ...form, everything: event.currentTarget.checked })}
        />
        {form.everything ? null : (
          <>
            <MultiSelect
              label="Experiments"
              data={experiments}
              value={form.experiments}
              onChange={(values) => setForm({ ...form, experiments: values })}
              searchable
              limit={60}
              maxDropdownHeight={220}
              hidePickedOptions
              placeholder={form.experiments.length === 0 ? "Search by name" : undefined}
            />
            <MultiSelect
              label="Genes"
              description="Every experiment with one of them, also in pairs and in other contexts."
              data={genes}
              value={form.genes}
              onChange={(values) => setForm({ ...form, genes: values })}
              searchable
              limit={60}
              maxDropdownHeight={220}
              hidePickedOptions
            />
            <TagsInput
              label="Tags"
              description="Groups of the design space, by the names that the campaign's gene file gives them."
              value={form.tags}
              onChange={(values) => setForm({ ...form, tags: values })}
            />
          </>
        )}
        <Group justify="flex-end" align="center">
          {form.reason.trim() && fault ? (
            <Text size="sm" c="dimmed" mr="auto">
              {fault}
            </Text>
          ) : null}
          <Button variant="default" disabled={rejecting.isPending} onClick={leave}>
            Back
          </Button>
          <Button
            color="red"
            loading={rejecting.isPending}
            disabled={fault !== null || isBehind(review)}
            onClick={() => rejecting.mutate()}
          >
            Reject and propose anew
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
