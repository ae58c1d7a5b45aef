import { freshKey, plain } from "../api/client.ts";
import type { Order, SubjectKind } from "./types.ts";

const PLURAL: Record<SubjectKind, string> = {
  campaign: "campaigns",
  round: "rounds",
  job: "jobs",
  instrument: "instruments",
};

type Extra = { backLabAt?: string | null };

/** Gives an order; the server answers with what stands now, or why not. */
export function sendOrder(kind: SubjectKind, id: string, order: Order, reason: string, extra: Extra = {}) {
  // `hold` is the name of a round's pause that older servers know as well.
  const door = kind === "round" && order === "pause" ? "hold" : order;
  const path = `/api/v1/${PLURAL[kind]}/${encodeURIComponent(id)}/${door}`;
  const headers = { "idempotency-key": freshKey() };
  // A round goes on without a word: its door takes none.
  if (kind === "round" && order === "resume") return plain<unknown>("POST", path, { headers });
  const body = kind === "instrument" ? { reason, back_lab_at: extra.backLabAt ?? null } : { reason };
  return plain<unknown>("POST", path, { headers, body });
}
