import { Button, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { isOutdated } from "../api/problem.ts";
import { plural } from "../display/format.ts";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { say } from "../display/said.ts";
import { approve } from "./commands.ts";
import { OutdatedNotice } from "./OutdatedNotice.tsx";
import { PlanFacts } from "./PlanFacts.tsx";
import { isBehind, type Review } from "./review.ts";

type Props = {
  review: Review;
  opened: boolean;
  close: () => void;
  remark: string;
  setRemark: (text: string) => void;
  look: () => void;
  renew: () => void;
};

/** The last look before a batch goes to the robots. */
export function ApproveDialog({ review, opened, close, remark, setRemark, look, renew }: Props) {
  const { batch } = review.seen;
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
    onError: renew,
  });
  const behind = isBehind(review);
  const outdated = isOutdated(deciding.error);
  const leave = () => {
    deciding.reset();
    close();
  };
  return (
    <Modal opened={opened} onClose={leave} title={`Approve revision ${batch.revision}`} size="lg">
      <Stack gap="md">
        {behind ? <OutdatedNotice review={review} look={look} refused={outdated} /> : null}
        {deciding.error && !outdated ? (
          <ProblemNotice what="The batch was not approved" error={deciding.error} />
        ) : null}
        {outdated && !behind ? (
          <Text size="sm" c="dimmed">
            You now see the latest revision; your remark is kept.
          </Text>
        ) : null}
        <PlanFacts batch={batch} />
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
          <Button variant="default" onClick={leave}>
            Not now
          </Button>
          <Button loading={deciding.isPending} disabled={behind} onClick={() => deciding.mutate()}>
            Approve {plural(batch.selected, "experiment")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
