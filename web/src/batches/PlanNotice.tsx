import { Alert, Button, Group, Text } from "@mantine/core";
import { IconGitCompare } from "@tabler/icons-react";
import type { PlanSummary } from "../api/types.ts";
import classes from "./OutdatedNotice.module.css";
import { factsOf } from "./PlanFacts.tsx";
import { planChange, type Review } from "./review.ts";

/** The stock made the plan another one: what changed, and a button that says that it was looked at. */
export function PlanNotice({ review, look }: { review: Review; look: () => void }) {
  const change = planChange(review);
  if (!change) return null;
  const figures = figuresChanged(change.before, change.now);
  return (
    <Alert
      role="alert"
      color="yellow"
      variant="light"
      icon={<IconGitCompare size={18} aria-hidden />}
      title="The plan changed: look at the figures"
      className={classes.notice}
    >
      <Text size="sm">
        {figures.length > 0
          ? "The experiments are the same; the stock asks for another plan of them."
          : "The figures are the same; the plan draws from other wells, or fills other plates."}
      </Text>
      <ul className={classes.list}>
        {figures.map(({ label, before, now }) => (
          <li key={label}>
            {label}: {before} before, <strong>{now}</strong> now
          </li>
        ))}
      </ul>
      <Group mt={8}>
        <Button size="compact-sm" color="yellow" variant="outline" onClick={look}>
          I have looked at it
        </Button>
      </Group>
    </Alert>
  );
}

/** The figures that are not what they were. */
export function figuresChanged(before: PlanSummary, now: PlanSummary) {
  const [was, is] = [before, now].map((it) => new Map(factsOf(it).map(({ label, value }) => [label, value])));
  const labels = new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])]);
  return [...labels]
    .map((label) => ({ label, before: was?.get(label) ?? "none", now: is?.get(label) ?? "none" }))
    .filter((it) => it.before !== it.now);
}
