import { Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { isOutdated } from "../api/problem.ts";
import type { Proposal } from "../api/types.ts";
import { Dialog } from "../display/Dialog.tsx";
import { plural } from "../display/format.ts";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { say } from "../display/said.ts";
import { useSayIfGone } from "../display/useSayIfGone.ts";
import { removeAll } from "./commands.ts";
import { OutdatedNotice } from "./OutdatedNotice.tsx";
import { experimentName, isBehind, type Review } from "./review.ts";

type Props = {
  review: Review;
  /** What is chosen, of what is selected in the batch. */
  proposals: Proposal[];
  opened: boolean;
  close: () => void;
  reason: string;
  setReason: (text: string) => void;
  look: () => void;
  renew: () => void;
  /** After each removal. */
  removed: (proposal: string) => void;
  took: (from: number, to: number, removed: readonly string[]) => Promise<void>;
};

const NAMED = 8;
const FAILED = "Not everything was removed";

export function RemoveDialog(props: Props) {
  const { review, proposals, opened, close, reason, setReason, look, renew, removed, took } = props;
  const { batch } = review.seen;
  const removing = useMutation({
    mutationFn: async () => {
      const from = batch.revision;
      const done: string[] = [];
      let to = from;
      const ids = proposals.map((it) => it.id);
      try {
        await removeAll(batch.id, from, ids, reason.trim(), (proposal, revision) => {
          done.push(proposal);
          to = revision;
          removed(proposal);
        });
      } finally {
        // Also when it broke off in the middle: what was removed is the reviewer's own.
        if (to !== from) await took(from, to, done);
        else renew();
      }
      return done.length;
    },
    onSuccess: (count) => {
      say(`${plural(count, "experiment")} removed; runners-up took the places.`);
      setReason("");
      close();
    },
    onError: useSayIfGone(FAILED, opened),
  });
  const outdated = isOutdated(removing.error);
  const leave = () => {
    removing.reset();
    close();
  };
  return (
    <Dialog
      pending={removing.isPending}
      opened={opened}
      onClose={leave}
      title={`Remove ${plural(proposals.length, "experiment")}`}
    >
      <Stack gap="md">
        {isBehind(review) ? <OutdatedNotice review={review} look={look} refused={outdated} /> : null}
        {removing.error && !outdated ? <ProblemNotice what={FAILED} error={removing.error} /> : null}
        <Text size="sm">
          {proposals.slice(0, NAMED).map(experimentName).join(", ")}
          {proposals.length > NAMED ? ` and ${proposals.length - NAMED} more` : ""}. The next best runners-up
          take the places, and the plate plan is computed anew. Approvals of this revision no longer count.
        </Text>
        <Textarea
          label="Why"
          required
          withAsterisk={false}
          autosize
          minRows={2}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          data-autofocus
        />
        <Group justify="flex-end">
          <Button variant="default" disabled={removing.isPending} onClick={leave}>
            Back
          </Button>
          <Button
            loading={removing.isPending}
            disabled={!reason.trim() || proposals.length === 0 || isBehind(review)}
            onClick={() => removing.mutate()}
          >
            Remove
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
