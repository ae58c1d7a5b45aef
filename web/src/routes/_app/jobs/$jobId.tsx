import { Button, Group, Modal, Text, Textarea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlayerStop } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { useState } from "react";
import { answer, api } from "../../../api/client.ts";
import { jobQuery } from "../../../api/queries.ts";
import type { components } from "../../../api/schema";
import type { JobDetail } from "../../../api/types.ts";
import { BlockBones } from "../../../display/Bones.tsx";
import { Id } from "../../../display/Copy.tsx";
import { Facts } from "../../../display/Facts.tsx";
import { duration, title } from "../../../display/format.ts";
import { PageHead } from "../../../display/PageHead.tsx";
import { Panel } from "../../../display/Panel.tsx";
import { ProblemNotice } from "../../../display/ProblemNotice.tsx";
import { StateBadge } from "../../../display/StateBadge.tsx";
import { say } from "../../../display/said.ts";
import { LabWhen, When } from "../../../display/When.tsx";
import { Attempts } from "../../../jobs/Attempts.tsx";
import { Doubt } from "../../../jobs/Doubt.tsx";
import classes from "../../../jobs/Job.module.css";
import { Payload } from "../../../jobs/Payload.tsx";
import { useMay } from "../../../session/may.ts";

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
            {job.plate_id ? (
              <Link to="/plates/$plateId" params={{ plateId: job.plate_id }}>
                its plate
              </Link>
            ) : null}
            {job.replaces ? (
              <Link to="/jobs/$jobId" params={{ jobId: job.replaces }}>
                replaces an earlier one
              </Link>
            ) : null}
          </Group>
        }
        actions={<StopJob job={job} />}
      />
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

const STOPPABLE = new Set(["waiting", "ready", "leased", "running"]);

/** Asks to stop; the safety function is the device's own button. */
function StopJob({ job }: { job: JobDetail }) {
  const may = useMay("job:resolve", "campaign:write", "instrument:write");
  const client = useQueryClient();
  const [opened, { open, close }] = useDisclosure();
  const [reason, setReason] = useState("");
  const stopping = useMutation({
    mutationFn: () =>
      answer<components["schemas"]["StopAnswer"]>(
        api.POST("/api/v1/jobs/{id}/stop", {
          params: { path: { id: job.id } },
          body: { reason: reason.trim() },
        }),
      ),
    onSuccess: async ({ disposition }) => {
      say(
        disposition === "cancelled"
          ? "Cancelled before it began."
          : "Asked: its worker stops at the next safe point.",
      );
      close();
      await client.invalidateQueries({ queryKey: ["jobs"] });
    },
  });
  if (!may || !STOPPABLE.has(job.state)) return null;
  return (
    <>
      <Button variant="default" leftSection={<IconPlayerStop size={15} />} onClick={open}>
        Stop…
      </Button>
      <Modal opened={opened} onClose={close} title="Stop this job">
        {stopping.error ? <ProblemNotice what="It was not asked to stop" error={stopping.error} /> : null}
        <Text size="sm" mb="sm">
          Its worker is asked to stop at the next safe point. For danger, use the button on the device: this
          one is not a safety function.
        </Text>
        <Textarea
          label="Why"
          autosize
          minRows={2}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          data-autofocus
        />
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={close}>
            Back
          </Button>
          <Button
            color="red"
            disabled={!reason.trim()}
            loading={stopping.isPending}
            onClick={() => stopping.mutate()}
          >
            Ask to stop
          </Button>
        </Group>
      </Modal>
    </>
  );
}
