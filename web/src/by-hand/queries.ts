import { queryOptions } from "@tanstack/react-query";
import { plain } from "../api/client.ts";
import { optional } from "../api/optional.ts";
import type { Act, Answer, ByHand } from "./types.ts";

/** For the count in the navigation; events renew it sooner. */
const LOOK_AGAIN_MS = 15_000;
/** For whoever stands at the bench. */
const AT_BENCH_MS = 5_000;

/** What waits for hands or is in some, the oldest first; `null` from a server without such steps. */
export const byHandQuery = queryOptions({
  queryKey: ["by-hand"],
  queryFn: async ({ signal }) => {
    const found = await optional<{ items: ByHand[] }>("/api/v1/by-hand", signal);
    return found?.items ?? null;
  },
  refetchInterval: (query) => (query.state.data === null ? false : LOOK_AGAIN_MS),
});

export const atBenchQuery = queryOptions({
  ...byHandQuery,
  refetchInterval: (query) => (query.state.data === null ? false : AT_BENCH_MS),
});

/** Says it to the server, which answers what stands now, or why not. */
export function sendAct(id: string, { kind, ...said }: Act) {
  const body = Object.keys(said).length > 0 ? { body: said } : {};
  return plain<Answer>("POST", `/api/v1/jobs/${encodeURIComponent(id)}/${kind}`, body);
}
