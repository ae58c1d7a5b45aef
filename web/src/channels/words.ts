import type { Channel, ChannelKind, Delivery, Severity, Topic } from "../api/types.ts";

type KindWords = { name: string; target: string; example: string; hint: string };
export const KIND: Record<ChannelKind, KindWords> = {
  webhook: {
    name: "Webhook",
    target: "Address",
    example: "https://hooks.example.org/loopwright",
    hint: "Receives CloudEvents as JSON, signed with a secret that you see once.",
  },
  slack: {
    name: "Slack",
    target: "Address of the incoming webhook",
    example: "https://hooks.slack.com/services/…",
    hint: "The address is a secret: only its host is shown later.",
  },
  email: {
    name: "E-mail",
    target: "Mailbox",
    example: "on-call@example.org",
    hint: "Sent by the server's mail relay.",
  },
};

/** Topics of the laboratory's life as a whole; older servers have none of them. */
type OfTheWhole = "laboratory.stopped" | "standstill" | "reconciliation.open";

export const TOPIC: Record<Topic | OfTheWhole, string> = {
  "batch.waiting": "A batch waits for approval",
  "approval.expiring": "An approval runs out",
  "job.in_doubt": "A job is in doubt",
  "plate.quarantined": "A plate failed QC",
  "round.held": "A round is held",
  "agent.lost": "An agent is silent",
  "campaign.finished": "A campaign has ended",
  "laboratory.stopped": "The laboratory is stopped",
  standstill: "Something stands still",
  "reconciliation.open": "Robots get no work after a failover or restore",
  "task.waiting": "Any other task",
};

export const SEVERITY: Record<Severity, string> = {
  info: "everything",
  warning: "warnings and worse",
  critical: "only what is critical",
};

/** What a channel is told, in one line. */
export function toldWords({ topics, minimum_severity, escalation_level }: Channel): string {
  const what = topics.length === 0 ? SEVERITY[minimum_severity] : topics.map((it) => TOPIC[it]).join(", ");
  const grave = topics.length > 0 && minimum_severity !== "info" ? ` (${SEVERITY[minimum_severity]})` : "";
  const when = escalation_level === 0 ? "" : `, when nobody acknowledges (escalation ${escalation_level})`;
  return `${what}${grave}${when}`;
}

/** How a test went, in words; `null` while it is on its way. */
export function testWords(delivery: Pick<Delivery, "state" | "last_error">): string | null {
  switch (delivery.state) {
    case "delivered":
      return "It arrived.";
    case "dead":
      return `It did not arrive, and is not tried again: ${delivery.last_error ?? "no reason was given"}`;
    case "cancelled":
      return "It was called off: the channel was disabled or removed.";
    case "pending":
      return delivery.last_error
        ? `Not yet: ${delivery.last_error.replace(/\.$/, "")}. It is tried again.`
        : null;
  }
}
