import { queryOptions } from "@tanstack/react-query";
import { plain } from "../api/client.ts";
import { optional } from "../api/optional.ts";
import { patienceMs } from "./standing.ts";
import type { Laboratory } from "./types.ts";

/** Whether the laboratory is stopped; `null` where the server has no such thing. */
export const laboratoryQuery = queryOptions({
  queryKey: ["laboratory"],
  queryFn: ({ signal }) => optional<Laboratory>("/api/v1/laboratory", signal),
  refetchInterval: (query) => patienceMs(query.state.data),
});

export const stopLaboratory = (reason: string) =>
  plain<Laboratory>("POST", "/api/v1/laboratory/stop", { body: { reason } });

export const resumeLaboratory = (reason: string) =>
  plain<Laboratory>("POST", "/api/v1/laboratory/resume", { body: { reason } });
