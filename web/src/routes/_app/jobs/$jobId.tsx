import { Button, Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { jobQuery } from "../../../api/queries.ts";
import type { JobDetail } from "../../../api/types.ts";
import { isForHands } from "../../../by-hand/sections.ts";
import { BlockBones } from "../../../display/Bones.tsx";
import { Id } from "../../../display/Copy.tsx";
import { Facts } from "../../../display/Facts.tsx";
import { duration, title, words } from "../../../display/format.ts";
import { PageHead } from "../../../display/PageHead.tsx";
import { Panel } from "../../../display/Panel.tsx";
import { ProblemNotice } from "../../../display/ProblemNotice.tsx";
import { StateBadge } from "../../../display/StateBadge.tsx";
import { LabWhen, When } from "../../../display/When.tsx";
import { Attempts } from "../../../jobs/Attempts.tsx";
import { Doubt } from "../../../jobs/Doubt.tsx";
import classes from "../../../jobs/Job.module.css";
import { JobSubject } from "../../../jobs/JobSubject.tsx";
import { Payload } from "../../../jobs/Payload.tsx";
import { Orders } from "../../../orders/Orders.tsx";
import { holdOf } from "../../../orders/types.ts";
import { WaitsFor } from "../../../why/WaitsFor.tsx";

export const Route = createFileRoute("/_app/jobs/$jobId")({ component: Page });

const ABOVE = [{ label: "Jobs", link: { to: "/jobs" as const } }];

function Page() {
  const { jobId } = Route.useParams();
  const job = useQuery(jobQuery(jobId));
  if (job.data) return <Shown key={jobId} job={job.data} />;
  return (
    <>
      <PageHead title="Job" above={ABOVE} />
      {job.error ? (
        <ProblemNotice what="The job cannot be shown" error={job.error} again={() => void job.refetch()} />
      ) : (
        <BlockBones height={420} />
      )}
    </>
  );
}

function Shown({ job }: { job: JobDetail }) {
  const failure = job.failure as { code?: string; message?: string; class?: string } | null | undefined;
  const hold = holdOf(job);
  const took = job.settled_at ? (Date.parse(job.settled_at) - Date.parse(job.created_at)) / 1000 : null;
  return (
    <>
      <PageHead
        title={`${title(job.kind)} job`}
        above={ABOVE}
        badge={<StateBadge state={job.state} />}
        note={
          <Group gap={6}>
            <Id id={job.id} />
            {job.campaign_id ? <JobSubject job={job} /> : null}
            {job.replaces ? (
              <Link to="/jobs/$jobId" params={{ jobId: job.replaces }}>
                replaces an earlier one
              </Link>
            ) : null}
          </Group>
        }
        actions={
          <>
            {isForHands(job) ? (
              <Button component={Link} to="/by-hand">
                Do it by hand
              </Button>
            ) : null}
            <Orders
              subject={{ kind: "job", id: job.id, name: `this ${words(job.kind)} job` }}
              state={job.state}
              hold={hold}
            />
          </>
        }
      />
      {job.in_doubt ? null : <WaitsFor kind="jobs" id={job.id} hold={hold} what="This job" />}
      <Doubt job={job} />
      {failure?.message ? (
        <Panel title="Why it failed" className={classes.failure}>
          <Text size="sm">{failure.message}</Text>
          <Text size="xs" c="dimmed" className="lw-mono">
            {failure.code} · {failure.class}
          </Text>
        </Panel>
      ) : null}
      <Panel title="Work" className={classes.gap}>
        <Facts
          facts={[
            { label: "Instrument", value: job.instrument ?? "any" },
            { label: "Queue", value: job.queue },
            { label: "Held by", value: job.worker ?? "nobody" },
            { label: "Created", value: <When at={job.created_at} /> },
            { label: "Settled", value: <When at={job.settled_at} none="not yet" /> },
            { label: "From asked to settled", value: duration(took) },
            { label: "Not before", value: <LabWhen at={job.not_before_lab_at} none="at once" /> },
            { label: "Deadline", value: <LabWhen at={job.deadline_lab_at} none="none" /> },
            ...(job.decided_by ? [{ label: "Settled by", value: job.decided_by }] : []),
          ]}
        />
      </Panel>
      <div className={classes.grid}>
        <Payload title="What is to be done" value={job.payload} empty="Its kind says it all." />
        <Payload title="What came of it" value={job.output} empty="Nothing yet: its worker reports it." />
      </div>
      <Attempts job={job} />
    </>
  );
}
