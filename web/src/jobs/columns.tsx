import { Progress } from "@mantine/core";
import type { Job } from "../api/types.ts";
import { Id } from "../display/Copy.tsx";
import { title } from "../display/format.ts";
import { StateBadge } from "../display/StateBadge.tsx";
import { LabWhen, When } from "../display/When.tsx";
import type { Column } from "../tables/DataTable.tsx";
import { JobSubject } from "./JobSubject.tsx";

type Said = { message?: string; fraction?: number | null };
type Failed = { code?: string; message?: string };

export function jobColumns(): Column<Job>[] {
  return [
    {
      key: "kind",
      title: "Kind",
      width: 100,
      by: (it) => it.kind,
      cell: (it) => <strong>{title(it.kind)}</strong>,
    },
    {
      key: "state",
      title: "State",
      width: 120,
      by: (it) => it.state,
      cell: (it) => <StateBadge state={it.state} />,
    },
    { key: "subject", title: "For", width: 180, from: 640, cell: (it) => <JobSubject job={it} /> },
    {
      key: "where",
      title: "Where",
      by: (it) => it.instrument ?? it.queue,
      cell: (it) => <span title={it.instrument ?? it.queue}>{it.instrument ?? it.queue}</span>,
    },
    {
      key: "worker",
      title: "Worker",
      from: 820,
      by: (it) => it.worker,
      cell: (it) => <span title={it.worker ?? undefined}>{it.worker ?? "–"}</span>,
    },
    { key: "said", grows: true, title: "Last word", cell: (it) => <LastWord job={it} /> },
    {
      key: "due",
      title: "Not before",
      from: 900,
      by: (it) => it.not_before_lab_at,
      cell: (it) => <LabWhen at={it.not_before_lab_at} short />,
    },
    {
      key: "created",
      title: "Created",
      width: 90,
      by: (it) => it.created_at,
      cell: (it) => <When at={it.created_at} />,
    },
    {
      key: "settled",
      title: "Settled",
      width: 90,
      from: 760,
      by: (it) => it.settled_at,
      cell: (it) => <When at={it.settled_at} />,
    },
    { key: "id", title: "Id", width: 110, from: 1000, cell: (it) => <Id id={it.id} /> },
  ];
}

/** What its worker said last, or why it failed. */
function LastWord({ job }: { job: Job }) {
  const failure = job.failure as Failed | null | undefined;
  if (failure?.message) {
    return (
      <span style={{ color: "var(--lw-bad)" }} title={`${failure.message} (${failure.code ?? ""})`}>
        {failure.message}
      </span>
    );
  }
  const said = job.progress as Said | null | undefined;
  if (!said) return <span style={{ color: "var(--lw-ink-faint)" }}>–</span>;
  const running = job.state === "running" || job.state === "stopping";
  return (
    <span
      title={said.message}
      style={{ display: "inline-flex", alignItems: "center", gap: 8, color: "var(--lw-ink-soft)" }}
    >
      {running && said.fraction != null ? (
        <Progress value={said.fraction * 100} w={70} size="sm" aria-label="Progress" />
      ) : null}
      {said.message}
    </span>
  );
}
