// What a reviewer says to the server, always about the revision that was seen.

import { answer, api, freshKey, plain } from "../api/client.ts";
import type { components } from "../api/schema";
import type { Batch, Rejection } from "../api/types.ts";

const headers = (revision: number) => ({ "if-match": `"${revision}"`, "idempotency-key": freshKey() });
type EditAnswer = components["schemas"]["EditAnswer"];
type ApproveAnswer = components["schemas"]["ApproveAnswer"];

export const approve = (id: string, revision: number, reason: string) =>
  answer<ApproveAnswer>(
    api.POST("/api/v1/batches/{id}/approve", {
      params: { path: { id }, header: headers(revision) },
      body: { reason: reason.trim() || null },
    }),
  );

export const reject = (id: string, revision: number, rejection: Rejection) => {
  // An older server knows no exclusions by gene or tag, and refuses what it does not know.
  const body: Rejection = { reason: rejection.reason, exclude: rejection.exclude };
  if (rejection.exclude_genes?.length) body.exclude_genes = rejection.exclude_genes;
  if (rejection.exclude_tags?.length) body.exclude_tags = rejection.exclude_tags;
  return plain<Batch>("POST", `/api/v1/batches/${id}/reject`, { body, headers: headers(revision) });
};

export const add = (
  id: string,
  revision: number,
  body: { perturbation: string; context: string; reason: string },
) =>
  answer<EditAnswer>(
    api.POST("/api/v1/batches/{id}/add", { params: { path: { id }, header: headers(revision) }, body }),
  );

const remove = (id: string, revision: number, proposal: string, reason: string) =>
  answer<EditAnswer>(
    api.POST("/api/v1/batches/{id}/remove", {
      params: { path: { id }, header: headers(revision) },
      body: { proposal_id: proposal, reason },
    }),
  );

/**
 * Removes one after the other, each under the revision that the one before answered. `removed` is told after each,
 * so that a failure in the middle loses nothing of what was done.
 */
export async function removeAll(
  id: string,
  revision: number,
  proposals: readonly string[],
  reason: string,
  removed: (proposal: string, revision: number) => void,
) {
  let now = revision;
  for (const proposal of proposals) {
    const answered = await remove(id, now, proposal, reason);
    now = answered.revision;
    removed(proposal, now);
  }
  return now;
}
