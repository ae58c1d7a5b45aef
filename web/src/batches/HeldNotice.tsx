import { Alert, Text } from "@mantine/core";
import { IconClockOff, IconHandStop } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { Round } from "../api/types.ts";

/** The round is held because nobody approved its batch in time (`batches::EXPIRED`). */
export const EXPIRED = "approval.expired";

/** Nothing happens to a batch whose round is held: why, and where that can be changed. */
export function HeldNotice({ round }: { round: Round }) {
  const expired = round.reason_code === EXPIRED;
  return (
    <Alert
      role="alert"
      color="yellow"
      variant="light"
      icon={expired ? <IconClockOff size={18} aria-hidden /> : <IconHandStop size={18} aria-hidden />}
      title={expired ? "Its time for approval is over" : "It waits for the round to be resumed"}
    >
      {round.reason ? <Text size="sm">{round.reason}</Text> : null}
      <Text size="sm">
        {expired
          ? "What was said of the revision before no longer counts, and nothing goes to the robots. The round can be resumed on "
          : `Round ${round.number} is held: its batch can be neither approved nor planned until somebody resumes it on `}
        <Link to="/campaigns/$campaignId" params={{ campaignId: round.campaign_id }}>
          the campaign's page
        </Link>
        .
      </Text>
    </Alert>
  );
}
