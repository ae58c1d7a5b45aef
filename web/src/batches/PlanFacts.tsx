import { Alert, Text } from "@mantine/core";
import { IconAlertTriangle, IconHourglass } from "@tabler/icons-react";
import type { Batch, PlanSummary } from "../api/types.ts";
import { type Fact, Facts } from "../display/Facts.tsx";
import { count, money, volume } from "../display/format.ts";

/** The draft plan in numbers, or why there is none. */
export function PlanFacts({ batch, held = false }: { batch: Batch; held?: boolean }) {
  const { draft } = batch;
  if (!draft) {
    if (batch.state !== "awaiting_approval" || held) return null;
    return (
      <Alert
        color="gray"
        variant="light"
        icon={<IconHourglass size={18} />}
        title="The plan is being computed"
      >
        It shows here in a moment: plates, volumes and cost. The batch can be approved once it is there.
      </Alert>
    );
  }
  if (draft.plan === "impossible") {
    return (
      <Alert
        role="alert"
        color="red"
        variant="light"
        icon={<IconAlertTriangle size={18} />}
        title="It cannot be carried out as it stands"
      >
        {draft.reason} Edit the batch, or bring what is missing.
        <Text size="xs" c="dimmed" className="lw-mono">
          {draft.code}
        </Text>
      </Alert>
    );
  }
  return <Facts facts={factsOf(draft.summary)} />;
}

export function factsOf(summary: PlanSummary): (Fact & { value: string })[] {
  const facts: ReturnType<typeof factsOf> = [
    { label: "Experiments", value: count(summary.experiments) },
    {
      label: "Plates",
      value: count(summary.plates),
      hint: `${count(summary.plate_moves)} moves of plates, ${count(summary.source_plates)} library plates`,
    },
    ...(summary.steps_by_hand
      ? [{ label: "By hand", value: count(summary.steps_by_hand), hint: "steps that wait for people" }]
      : []),
    {
      label: "Wells",
      value: count(summary.wells_used),
      hint: `${count(summary.sample_wells)} of experiments, ${count(summary.control_wells)} of controls`,
    },
    {
      label: "Transfers",
      value: count(summary.transfers),
      hint: `${count(summary.tips)} tips, ${count(summary.deck_loads)} deck loads`,
    },
    { label: "Reagents", value: volume(summary.volume_nl) },
    {
      label: "Takes at least",
      value: `${summary.estimated_hours.toFixed(summary.estimated_hours < 10 ? 1 : 0)} h`,
      hint: "Dispensing one plate after the other, then the incubation of the last. Moves, reads and waiting for people come on top.",
    },
  ];
  if (summary.cost) facts.push({ label: "Cost", value: money(summary.cost.amount, summary.cost.currency) });
  return facts;
}
