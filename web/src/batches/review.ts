// What a reviewer has seen, against what the batch is now. Pure: no requests, no clock.

import type { Batch, PlanSummary, Proposal } from "../api/types.ts";

/** One revision, read in one piece. */
export type Snapshot = { batch: Batch; proposals: Proposal[] };

export type Change = {
  id: string;
  name: string;
  what: "added" | "removed";
  by: string;
  reason: string | null;
};

type Plan = Extract<NonNullable<Batch["draft"]>, { plan: "possible" }>;

export type Review = {
  /** What is on the screen, and what `If-Match` stands for. Only the reviewer moves it on. */
  seen: Snapshot;
  /** The newest that the server told; the same object as `seen` when there is nothing new. */
  latest: Snapshot;
  /** Experiments that the last step forward added, to be shown as new. */
  fresh: ReadonlySet<string>;
  /** The plan whose figures the reviewer has looked at; `null` until there is one. */
  plan: Plan | null;
};

export type Step =
  | { kind: "told"; snapshot: Snapshot }
  /** The reviewer's own changes led from one revision to another; these experiments they took out. */
  | { kind: "mine"; from: number; to: number; removed: readonly string[] }
  | { kind: "looked" }
  | { kind: "looked at the plan" };

export const begin = (snapshot: Snapshot): Review => ({
  seen: snapshot,
  latest: snapshot,
  fresh: new Set(),
  plan: planOf(snapshot),
});

/**
 * Moves a review on. What others changed waits until the reviewer looks: nobody approves what they have not seen.
 * A change of one's own, and what changes nothing of the content (approvals, the draft plan, the end of the time for
 * approval), shows at once; that the stock made the plan another one shows, and is to be looked at (`planChange`).
 */
export function advance(review: Review, step: Step): Review {
  switch (step.kind) {
    case "told": {
      if (step.snapshot.batch.revision < review.latest.batch.revision) return review;
      const seen = isTheSame(review.seen, step.snapshot) ? step.snapshot : review.seen;
      return { ...review, latest: step.snapshot, seen, plan: review.plan ?? planOf(seen) };
    }
    case "mine": {
      // Each change was sent about the revision before it: nobody came in between. If somebody came after, `latest`
      // is beyond, and waits to be looked at.
      if (step.from !== review.seen.batch.revision) return review;
      if (review.latest.batch.revision === step.to) return look(review);
      const gone = new Set(step.removed);
      const batch = { ...review.seen.batch, revision: step.to };
      const proposals = review.seen.proposals.map((it) =>
        gone.has(it.id) ? { ...it, status: "removed" as const } : it,
      );
      return { ...review, seen: { batch, proposals } };
    }
    case "looked":
      return look(review);
    case "looked at the plan":
      return { ...review, plan: planOf(review.seen) ?? review.plan };
  }
}

function look(review: Review): Review {
  if (review.seen === review.latest) return review;
  const added = changes(review).filter((change) => change.what === "added");
  return { ...begin(review.latest), fresh: new Set(added.map((change) => change.id)) };
}

function planOf({ batch: { draft } }: Snapshot): Plan | null {
  return draft?.plan === "possible" ? draft : null;
}

/** The figures that the reviewer looked at and those of the plan shown now, where it is another plan. */
export function planChange({ seen, plan }: Review): { before: PlanSummary; now: PlanSummary } | null {
  const now = planOf(seen);
  if (seen.batch.state !== "awaiting_approval" || !now || !plan || now.digest === plan.digest) return null;
  return { before: plan.summary, now: now.summary };
}

/** Whether a reviewer of one has seen what stands in the other. */
function isTheSame(seen: Snapshot, told: Snapshot): boolean {
  if (seen.batch.revision === told.batch.revision) return true;
  return seen.batch.state === told.batch.state && changes({ seen, latest: told }).length === 0;
}

export const isBehind = (review: Review) => review.seen.batch.revision !== review.latest.batch.revision;

/** What stands between the revision seen and the latest, by experiment. */
export function changes({ seen, latest }: Pick<Review, "seen" | "latest">): Change[] {
  if (seen === latest) return [];
  const before = new Map(seen.proposals.map((proposal) => [proposal.id, proposal.status]));
  const found: Change[] = [];
  for (const proposal of latest.proposals) {
    const was = before.get(proposal.id);
    const entry = {
      id: proposal.id,
      name: experimentName(proposal),
      by: proposal.origin === "person" ? "by hand" : "runner-up",
      reason: proposal.removed_reason ?? proposal.reason,
    };
    if (proposal.status === "selected" && was !== "selected") found.push({ ...entry, what: "added" });
    if (proposal.status !== "selected" && was === "selected")
      found.push({ ...entry, by: "", what: "removed" });
  }
  return found;
}

/** The bar's words: `2 experiments changed meanwhile`. */
export function changeSummary(review: Review): string {
  const list = changes(review);
  const added = list.filter((change) => change.what === "added").length;
  const removed = list.length - added;
  const parts = [removed > 0 ? `${removed} removed` : null, added > 0 ? `${added} added` : null].filter(
    Boolean,
  );
  if (review.latest.batch.state !== review.seen.batch.state) {
    parts.push(`now ${review.latest.batch.state.replaceAll("_", " ")}`);
  }
  return parts.length > 0 ? parts.join(", ") : `revision ${review.latest.batch.revision}`;
}

export const experimentName = (it: { perturbation: string; context: string }) =>
  `${it.perturbation} in ${it.context}`;
/** As `exclude` of a rejection names it. */
export const experimentKey = (it: { perturbation: string; context: string }) =>
  `${it.perturbation}@${it.context}`;
/** The genes of a perturbation: its edits are joined by `+`. */
export const genesOf = (perturbation: string) => perturbation.split("+");
export const totalSd = (it: { epistemic_sd?: number | null; aleatoric_sd?: number | null }) =>
  it.epistemic_sd == null || it.aleatoric_sd == null ? null : Math.hypot(it.epistemic_sd, it.aleatoric_sd);
