import { Progress, Text } from "@mantine/core";
import { IconEye } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { answer, api } from "../api/client.ts";
import type { components } from "../api/schema";
import type { JobDetail, Resolution } from "../api/types.ts";
import { ChoiceWithReason } from "../display/ChoiceWithReason.tsx";
import { words } from "../display/format.ts";
import { say } from "../display/said.ts";
import { When } from "../display/When.tsx";
import { ROLE_FOR, useMay } from "../session/may.ts";
import classes from "./Doubt.module.css";
import { type Evidence, evidenceOf, reportWords } from "./evidence.ts";
import { isEmpty } from "./json.ts";
import { Fields } from "./Payload.tsx";
import { resolutionsOf } from "./resolutions.ts";
import { TransferEvidence } from "./TransferEvidence.tsx";

/** A job that was begun and of which nobody knows how it ended: what is known, and the three safe answers. */
export function Doubt({ job }: { job: JobDetail }) {
  const may = useMay("job:resolve");
  const client = useQueryClient();
  const evidence = useMemo(() => evidenceOf(job), [job]);
  const resolving = useMutation({
    mutationFn: (body: { resolution: Resolution; reason: string }) =>
      answer<components["schemas"]["ResolveAnswer"]>(
        api.POST("/api/v1/jobs/{id}/resolve", { params: { path: { id: job.id } }, body }),
      ),
    onSuccess: async ({ replaced_by: next }) => {
      say(next ? "Recorded; a job like it takes its place." : "Recorded.");
      for (const name of ["jobs", "tasks", "plates", "progress"])
        await client.invalidateQueries({ queryKey: [name] });
    },
  });
  if (!job.in_doubt) return null;
  const choices = resolutionsOf(job, evidence);
  const labelOf = (chosen: Resolution | null) => choices.find((it) => it.value === chosen)?.label;
  return (
    <section className={classes.doubt} aria-label="In doubt">
      <header className={classes.head}>
        <IconEye size={20} aria-hidden />
        <h2>Go and look: nobody knows how this ended</h2>
      </header>
      <div className={classes.body}>
        <Text size="sm" mb="md" maw={900}>
          {job.worker ?? job.instrument ?? "Its worker"} began it (attempt {job.in_doubt.attempt}) and has not
          said how it ended. In doubt since <When at={job.in_doubt.since} />. It is not repeated, and nothing
          that depends on it moves, until somebody says what they saw.
        </Text>
        <div className={classes.evidence} data-wide={evidence.transfers.length > 0 || undefined}>
          <Known job={job} evidence={evidence} />
          {evidence.transfers.length > 0 ? (
            <div className={classes.known}>
              <h3>Intended against reported</h3>
              <TransferEvidence transfers={evidence.transfers} labware={labwareOf(job)} />
            </div>
          ) : null}
        </div>
        <h3 className={classes.question}>What happened?</h3>
        <ChoiceWithReason
          label="What happened"
          choices={choices}
          reason={{ label: "What you saw", hint: "In your words, for the record." }}
          off={may ? undefined : `Deciding needs the role ${ROLE_FOR["job:resolve"]}.`}
          button={(chosen) => (chosen ? `Record: ${labelOf(chosen)?.toLowerCase()}…` : "Record it")}
          confirm={(chosen) => ({
            title: `You say: ${labelOf(chosen)?.toLowerCase()}`,
            text: choices.find((it) => it.value === chosen)?.description,
            button: "Record it for good",
          })}
          decide={(resolution, reason) => resolving.mutate({ resolution, reason })}
          pending={resolving.isPending}
          error={resolving.error}
          failed="Nothing was recorded"
        />
      </div>
    </section>
  );
}

function Known({ job, evidence }: { job: JobDetail; evidence: Evidence }) {
  const { progress, device, offered } = evidence;
  return (
    <div className={classes.known}>
      <h3>What is known</h3>
      <dl className={classes.facts}>
        <Fact name="Why">{evidence.why}</Fact>
        {device ? (
          <Fact name="The device's words">
            <q>{device.message}</q>
            {device.code ? <div className={classes.code}>{device.code}</div> : null}
          </Fact>
        ) : null}
        <Fact name="Last progress">
          {progress ? (
            <>
              {progress.message ?? "no word"}
              {progress.fraction === null ? null : (
                <Progress
                  value={progress.fraction * 100}
                  size="sm"
                  mt={4}
                  maw={260}
                  aria-label={`${Math.round(progress.fraction * 100)} % done when it was last heard`}
                />
              )}
            </>
          ) : (
            "It said nothing of its progress."
          )}
        </Fact>
        {evidence.startedAt ? (
          <Fact name="Began">
            <When at={evidence.startedAt} />
          </Fact>
        ) : null}
        <Fact name="Reports">
          {job.reports.length === 0 ? (
            "None so far. Whatever comes late is kept and shown here."
          ) : (
            <ul className={classes.reports}>
              {job.reports.map((report) => (
                <li key={`${report.by} ${report.received_at}`}>
                  <strong>{report.by}</strong> <When at={report.received_at} />: {reportWords(report.outcome)}{" "}
                  <span className={classes.soft}>({words(report.disposition)})</span>
                </li>
              ))}
            </ul>
          )}
        </Fact>
        {offered ? (
          <Fact name="Offered">What {offered.by} brought is taken over if you say that it happened.</Fact>
        ) : null}
      </dl>
      {isEmpty(evidence.rest) ? null : <Fields value={evidence.rest} />}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Of the plate that is filled: the first of the deck, where the payload names it. */
function labwareOf(job: JobDetail): string {
  const { deck } = (job.payload ?? {}) as { deck?: { labware?: string }[] };
  return deck?.[0]?.labware ?? "";
}
