import { queryOptions } from "@tanstack/react-query";
import { plateQuery } from "../api/queries.ts";

const FINISHED = new Set(["passed", "released", "rejected", "cancelled", "lost"]);

/** A plate for its small picture: whatever happens elsewhere, that of a finished one is read once. */
export const thumbQuery = (id: string) =>
  queryOptions({
    ...plateQuery(id),
    // As it was read, and not as the list says: what was read before it had finished is read again.
    staleTime: ({ state }) => (FINISHED.has(state.data?.state ?? "") ? "static" : 10_000),
  });
