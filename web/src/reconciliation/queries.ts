import { queryOptions } from "@tanstack/react-query";
import { plain } from "../api/client.ts";
import { optional } from "../api/optional.ts";
import type { Reconciliation } from "./types.ts";
import { patienceMs } from "./words.ts";

/** Where the reconciliation of this life of the database stands; `null` where the server has no such thing. */
export const reconciliationQuery = queryOptions({
  queryKey: ["reconciliation"],
  queryFn: ({ signal }) => optional<Reconciliation>("/api/v1/reconciliation", signal),
  refetchInterval: (query) => patienceMs(query.state.data),
});

export const excuse = (instrument: string, reason: string) =>
  plain<Reconciliation>("POST", "/api/v1/reconciliation/excuse", { body: { instrument, reason } });

export const close = (reason: string) =>
  plain<Reconciliation>("POST", "/api/v1/reconciliation/close", { body: { reason } });
