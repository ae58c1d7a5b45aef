import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { nextTicksQuery } from "../api/queries.ts";
import { BlockBones } from "../display/Bones.tsx";
import { Panel } from "../display/Panel.tsx";
import { TickList } from "./TickList.tsx";

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
        <TickList ticks={data} />
      )}
    </Panel>
  );
}
