import { Anchor, Stack, Text } from "@mantine/core";
import { IconExternalLink } from "@tabler/icons-react";
import type { CampaignCheck, CampaignSpec } from "../../api/types.ts";
import { policyWords } from "../../batches/policy.ts";
import { Facts } from "../../display/Facts.tsx";
import { count } from "../../display/format.ts";
import { Panel } from "../../display/Panel.tsx";
import { TickList } from "../TickList.tsx";

const USUAL_CURRENCY = "EUR";

/** What the campaign would do, from the last text that was right: how much, when, and who is asked. */
export function ComingPanel({ right, isStale }: { right: CampaignCheck | null; isStale: boolean }) {
  const spec = right?.spec;
  return (
    <Panel title="What will come" note={isStale && spec ? "by the last right text" : null}>
      {right && spec ? (
        <Coming right={right} spec={spec} />
      ) : (
        <Text size="sm" c="dimmed">
          Rounds, plates, and days stand here once the text is right.
        </Text>
      )}
    </Panel>
  );
}

function Coming({ right: { round, ticks }, spec }: { right: CampaignCheck; spec: CampaignSpec }) {
  const { budget, policy, cost } = spec;
  const asked = policy ? policyWords(policy, cost?.currency ?? USUAL_CURRENCY) : [];
  const zone = ticks[0]?.zone;
  return (
    <Stack gap="md">
      <Facts
        facts={[
          { label: "Rounds", value: count(budget.rounds), hint: "Of the budget; it may end before" },
          { label: "Experiments a round", value: count(round?.experiments ?? budget.batch) },
          {
            label: "Plates a round",
            value: round ? `at least ${count(round.plates_at_least)}` : "–",
            hint: round
              ? `A plate has room for ${count(round.experiments_per_plate)} experiments beside its controls. A batch that is spread over contexts needs more: a plate has cells of one.`
              : undefined,
          },
        ]}
      />
      <div>
        <Heading>Who approves</Heading>
        {asked.map((line) => (
          <Text key={line} size="sm">
            {line}
          </Text>
        ))}
        {policy?.self_approval && !policy.auto_approve ? (
          <Text size="sm">Whoever edits a batch may be its only approver.</Text>
        ) : null}
      </div>
      <div>
        <Heading>{zone ? `The first rounds, by the clock of ${zone}` : "When rounds begin"}</Heading>
        {ticks.length > 0 ? <TickList ticks={ticks} /> : <Text size="sm">{beginWords(spec)}</Text>}
      </div>
      <Anchor href="/calendar" target="_blank" size="sm">
        What is on the calendar already <IconExternalLink size={13} aria-label="(in a new tab)" />
      </Anchor>
    </Stack>
  );
}

function Heading({ children }: { children: string }) {
  return (
    <Text component="h3" size="xs" c="dimmed" fw={400} mt={0} mb={4}>
      {children}
    </Text>
  );
}

function beginWords({ schedule }: CampaignSpec): string {
  return schedule?.mode === "manual"
    ? "By hand: somebody starts each round on the campaign's page."
    : "One after the other: the next begins when the one before has ended and its model is trained.";
}
