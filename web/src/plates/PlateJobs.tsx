import { Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { jobsQuery } from "../api/queries.ts";
import { title } from "../display/format.ts";
import { Panel } from "../display/Panel.tsx";
import { StateBadge } from "../display/StateBadge.tsx";
import { When } from "../display/When.tsx";
import classes from "./PlateJobs.module.css";

/** What was done with a plate, first to last. */
export function PlateJobs({ query }: { query: ReturnType<typeof jobsQuery> }) {
  const { data } = useInfiniteQuery(query);
  const jobs = data?.pages.flatMap((page) => page.items) ?? [];
  const inOrder = [...jobs].reverse();
  return (
    <Panel title="Jobs" note={data ? String(jobs.length) : undefined}>
      {inOrder.length === 0 ? (
        <Text size="sm" c="dimmed">
          Moves, dispense, incubation and read show here once the plate is planned.
        </Text>
      ) : (
        <ol className={classes.list}>
          {inOrder.map((job) => (
            <li key={job.id}>
              <Link to="/jobs/$jobId" params={{ jobId: job.id }}>
                {title(job.kind)}
              </Link>
              <span className={classes.who} title={job.instrument ?? job.worker ?? undefined}>
                {job.instrument ?? job.worker ?? ""}
              </span>
              <StateBadge state={job.state} />
              <span className={classes.when}>
                <When at={job.settled_at ?? job.created_at} />
              </span>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
