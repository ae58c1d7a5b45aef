import { queryOptions } from "@tanstack/react-query";
import { optional } from "../api/optional.ts";
import type { Standstill, Why } from "./types.ts";

/** Reasons change as time passes, without any event. */
const LOOK_AGAIN_MS = 15_000;

/** Why it does not move; `null` from a server that does not say. */
export const whyQuery = (kind: "jobs" | "rounds" | "campaigns", id: string) =>
  queryOptions({
    queryKey: ["why", kind, id],
    queryFn: ({ signal }) => optional<Why>(`/api/v1/${kind}/${encodeURIComponent(id)}/why`, signal),
    refetchInterval: (query) => (query.state.data === null ? false : LOOK_AGAIN_MS),
  });

/** What stands still past its deadline, longest first; `null` from a server that does not say. */
export const standstillsQuery = queryOptions({
  queryKey: ["standstills"],
  queryFn: async ({ signal }) => {
    const found = await optional<{ items: Standstill[] }>("/api/v1/standstills", signal);
    return found?.items ?? null;
  },
  refetchInterval: (query) => (query.state.data === null ? false : LOOK_AGAIN_MS),
});
