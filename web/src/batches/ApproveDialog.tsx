import { Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { isOutdated } from "../api/problem.ts";
import { Dialog } from "../display/Dialog.tsx";
import { plural } from "../display/format.ts";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { say } from "../display/said.ts";
import { useSayIfGone } from "../display/useSayIfGone.ts";
import { approve } from "./commands.ts";
import { OutdatedNotice } from "./OutdatedNotice.tsx";
import { PlanFacts } from "./PlanFacts.tsx";
import { PlanNotice } from "./PlanNotice.tsx";
import { isBehind, planChange, type Review } from "./review.ts";

type Props = {
  review: Review;
  opened: boolean;
  close: () => void;
  remark: string;
  setRemark: (text: string) => void;
  look: () => void;
  lookAtPlan: () => void;
  /** Why it cannot be approved as it stands. */
  whyNot: string | null;
  renew: () => void;
};

const FAILED = "The batch was not approved";

/** The last look before a batch goes to the robots. */
export function ApproveDialog(props: Props) {
  const { review, opened, close, remark, setRemark, look, lookAtPlan, whyNot, renew } = props;
  const { batch } = review.seen;
  const sayIfGone = useSayIfGone(FAILED, opened);
  const deciding = useMutation({
    mutationFn: () => approve(batch.id, batch.revision, remark),
    onSuccess: (answered) => {
      const { disposition, missing_approvals: missing } = answered;
      setRemark("");
      close();
      say(
        disposition === "recorded"
          ? `Your approval is recorded; ${plural(missing, "more person", "more people")} must approve this revision.`
          : disposition === "frozen"
            ? "Approved and frozen: the robots take it from here."
            : "It was approved already.",
      );
      renew();
    },
    onError: (error) => {
      sayIfGone(error);
      renew();
    },
  });
  const behind = isBehind(review);
  const planChanged = !behind && planChange(review) !== null;
  const outdated = isOutdated(deciding.error);
  const leave = () => {
    deciding.reset();
    close();
  };
  return (
    <Dialog
      pending={deciding.isPending}
      opened={opened}
      onClose={leave}
      title={`Approve revision ${batch.revision}`}
      size="lg"
    >
      <Stack gap="md">
        {behind ? <OutdatedNotice review={review} look={look} refused={outdated} /> : null}
        {planChanged ? <PlanNotice review={review} look={lookAtPlan} /> : null}
        {deciding.error && !outdated ? <ProblemNotice what={FAILED} error={deciding.error} /> : null}
        {outdated && !behind ? (
          <Text size="sm" c="dimmed">
            You now see the latest revision; your remark is kept.
          </Text>
        ) : null}
        <PlanFacts batch={batch} />
        {whyNot && !behind && batch.draft?.plan === "possible" ? (
          <Text size="sm">You cannot approve this batch: {whyNot}</Text>
        ) : null}
        <Text size="sm">
          With the last approval, content, layout and plan are frozen under one hash; only what stands there
          is ever dispensed.
        </Text>
        <Textarea
          label="Remark"
          description="Optional; it goes into the record."
          autosize
          minRows={2}
          value={remark}
          onChange={(event) => setRemark(event.currentTarget.value)}
          data-autofocus
        />
        <Group justify="flex-end">
          <Button variant="default" disabled={deciding.isPending} onClick={leave}>
            Not now
          </Button>
          <Button
            loading={deciding.isPending}
            disabled={behind || planChanged || whyNot !== null}
            onClick={() => deciding.mutate()}
          >
            Approve {plural(batch.selected, "experiment")}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
