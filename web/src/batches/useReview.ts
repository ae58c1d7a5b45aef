import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useReducer } from "react";
import { answer, api } from "../api/client.ts";
import type { Batch, Page, Proposal } from "../api/types.ts";
import { advance, begin, type Review, type Snapshot, type Step } from "./review.ts";

const READS = 4;

/** A batch and its experiments of one and the same revision. */
export async function readSnapshot(id: string, signal?: AbortSignal): Promise<Snapshot> {
  const params = { path: { id } };
  const readBatch = () => answer<Batch>(api.GET("/api/v1/batches/{id}", { params, signal }));
  const readProposals = () =>
    answer<Page<Proposal>>(api.GET("/api/v1/batches/{id}/proposals", { params, signal }));
  let batch = await readBatch();
  for (let read = 1; ; read++) {
    const { items } = await readProposals();
    const after = await readBatch();
    if (after.revision === batch.revision || read === READS) return { batch: after, proposals: items };
    batch = after;
  }
}

const step = (review: Review | null, taken: Step): Review | null => {
  if (review) return advance(review, taken);
  return taken.kind === "told" ? begin(taken.snapshot) : null;
};

/** The review of one batch: what is seen, what is new, and how to move on. */
export function useReview(id: string) {
  const client = useQueryClient();
  const [review, dispatch] = useReducer(step, null);
  const read = useQuery({
    queryKey: ["batches", id, "review"],
    queryFn: ({ signal }) => readSnapshot(id, signal),
  });
  const { data, refetch } = read;
  useEffect(() => {
    if (data) dispatch({ kind: "told", snapshot: data });
  }, [data]);

  const look = useCallback(() => dispatch({ kind: "looked" }), []);
  const lookAtPlan = useCallback(() => dispatch({ kind: "looked at the plan" }), []);
  /** After changes of one's own: shows them, and whatever came after them as news. */
  const took = useCallback(
    async (from: number, to: number, removed: readonly string[] = []) => {
      const fresh = await refetch();
      if (fresh.data) dispatch({ kind: "told", snapshot: fresh.data });
      dispatch({ kind: "mine", from, to, removed });
      void client.invalidateQueries({ queryKey: ["draft-plan", id] });
    },
    [refetch, client, id],
  );
  return { review, error: read.error, refetch, look, lookAtPlan, took };
}
