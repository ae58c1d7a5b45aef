import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { RowBones } from "../display/Bones.tsx";
import { FailedOr } from "../display/FailedOr.tsx";
import { Panel } from "../display/Panel.tsx";
import { When } from "../display/When.tsx";
import { eventWords } from "../events/words.ts";
import classes from "./Lately.module.css";
import { eventLink, latelyQuery } from "./lately.ts";

/** The last things that happened in the loop, with where to look. */
export function Lately() {
  const lately = useQuery(latelyQuery);
  const { data } = lately;
  return (
    <Panel title="Lately" actions={<Link to="/events">All events</Link>} flush>
      {data === undefined ? (
        <FailedOr read={lately} what="What happened lately cannot be read">
          <RowBones rows={4} />
        </FailedOr>
      ) : null}
      {data?.length === 0 ? (
        <Text size="sm" c="dimmed" p="md">
          What happens to campaigns, batches and plates shows here as it happens.
        </Text>
      ) : null}
      <ol className={classes.list}>
        {data?.map((event) => {
          const link = eventLink(event);
          return (
            <li key={event.position}>
              <span className={classes.what}>
                {link ? <Link {...link}>{eventWords(event.kind)}</Link> : eventWords(event.kind)}
              </span>
              <span className={classes.who} title={event.actor}>
                {event.actor}
              </span>
              <span className={classes.when}>
                <When at={event.happened_at} />
              </span>
            </li>
          );
        })}
      </ol>
    </Panel>
  );
}
