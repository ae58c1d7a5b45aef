import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { nextTicksQuery } from "../api/queries.ts";
import { BlockBones } from "../display/Bones.tsx";
import { shortMoment } from "../display/format.ts";
import { Panel } from "../display/Panel.tsx";
import { LabWhen } from "../display/When.tsx";
import classes from "./Upcoming.module.css";

/** `2026-12-21T08:00:00` of the campaign's own wall clock, for people. */
function wallTime(local: string): string {
  // Read as if it were ours: only its figures are shown, and the zone stands above.
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? local : shortMoment(at);
}

/** When the next rounds begin. Hidden where a server does not say. */
export function Upcoming({ campaign, title = "Next rounds" }: { campaign: string; title?: string }) {
  const { data, error } = useQuery(nextTicksQuery(campaign));
  if (!data) {
    // The place is kept while the answer is on its way: nothing beside it moves.
    return error ? null : (
      <Panel title={title}>
        <BlockBones height={130} />
      </Panel>
    );
  }
  return (
    <Panel title={title} note={data[0]?.zone}>
      {data.length === 0 ? (
        <Text size="sm" c="dimmed">
          None is due by the calendar: rounds begin by hand or one after the other, the budget is used up, or
          the campaign has ended.
        </Text>
      ) : (
        <ol className={classes.list}>
          {data.map((tick) => (
            <li key={tick.at}>
              <span className={classes.local}>{wallTime(tick.local)}</span>
              <span className={classes.rest}>
                <LabWhen at={tick.at} short />
              </span>
              {tick.note ? <span className={classes.note}>{tick.note}</span> : null}
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
