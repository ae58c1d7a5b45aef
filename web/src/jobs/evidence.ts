// What is known of a job in doubt, put side by side for whoever decides. Pure.

import type { JobDetail } from "../api/types.ts";

export type IntendedTransfer = {
  destination_barcode: string;
  destination_well: string;
  source_barcode: string;
  source_well: string;
  volume_nl: number;
};

/** Of one intended transfer, what anybody said. */
export type Transfer = IntendedTransfer & {
  /** Nobody said anything of it; it was said without a volume; it was said to have failed. */
  said: "nothing" | "moved" | "failed";
  actual_nl: number | null;
  error: string | null;
};

export type Words = { message: string; code: string | null };

export type Evidence = {
  why: string;
  /** The device's or its agent's own words. */
  device: Words | null;
  progress: { message: string | null; fraction: number | null } | null;
  startedAt: string | null;
  transfers: Transfer[];
  /** What is known beside all this, as the server names it. */
  rest: Record<string, unknown>;
  /** A report says that it succeeded, with what it brought: that is what "it happened" takes over. */
  offered: { by: string; at: string } | null;
};

const WHY: Record<string, string> = {
  lease_expired: "Its agent fell silent after it had begun, and its lease ran out.",
  reported_unknown: "Its agent itself cannot say how it ended.",
};
const SHOWN_ELSEWHERE = new Set(["why", "failure", "progress", "worker", "instrument", "started_at"]);

export function evidenceOf(job: JobDetail): Evidence {
  const known = record(job.in_doubt?.known);
  const success = [...job.reports].reverse().find((it) => record(it.outcome).ended === "succeeded");
  const why = text(known.why);
  const progress = record(known.progress ?? job.progress);
  return {
    why: (why && WHY[why]) ?? "It was begun, and nobody has said how it ended.",
    device: wordsOf(known.failure),
    progress:
      Object.keys(progress).length > 0
        ? { message: text(progress.message), fraction: number(progress.fraction) }
        : null,
    startedAt: text(known.started_at) ?? job.attempts.at(-1)?.started_at ?? null,
    transfers: transfersOf(job, success?.outcome),
    rest: Object.fromEntries(Object.entries(known).filter(([name]) => !SHOWN_ELSEWHERE.has(name))),
    offered: success ? { by: success.by, at: success.received_at } : null,
  };
}

/** What one report says, in a line. */
export function reportWords(outcome: unknown): string {
  const said = record(outcome);
  const failure = wordsOf(said.failure);
  switch (said.ended) {
    case "succeeded":
      return "It succeeded, with what it brought.";
    case "stopped":
      return `It was stopped at a safe point: ${text(said.note) ?? "no word"}.`;
    case "failed":
      return `It failed: ${failure?.message ?? "no reason"}`;
    case "unknown":
      return `It cannot say: ${failure?.message ?? "no reason"}`;
    default:
      return "A report of a kind that this page does not know.";
  }
}

export type Tally = { intended: number; moved: number; failed: number; nothing: number };

export function tallyOf(transfers: readonly Transfer[]): Tally {
  const count = (said: Transfer["said"]) => transfers.filter((it) => it.said === said).length;
  return {
    intended: transfers.length,
    moved: count("moved"),
    failed: count("failed"),
    nothing: count("nothing"),
  };
}

function transfersOf(job: JobDetail, outcome: unknown): Transfer[] {
  if (job.kind !== "dispense") return [];
  const intended = list(record(job.payload).transfers) as IntendedTransfer[];
  const output = record(record(outcome).output ?? job.output);
  const reports = new Map(
    list(record(output.result).transfers).map((it) => [number(record(it).index), record(it)]),
  );
  return intended.map((transfer, index) => {
    const report = reports.get(index);
    if (!report) return { ...transfer, said: "nothing", actual_nl: null, error: null };
    const error = text(report.error);
    return {
      ...transfer,
      said: error ? "failed" : "moved",
      actual_nl: number(report.actual_nl),
      error,
    };
  });
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
const number = (value: unknown): number | null => (typeof value === "number" ? value : null);

function wordsOf(failure: unknown): Words | null {
  const { message, code } = record(failure);
  const said = text(message);
  return said ? { message: said, code: text(code) } : null;
}
