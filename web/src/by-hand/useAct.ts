import { useMutation, useQueryClient } from "@tanstack/react-query";
import { say } from "../display/said.ts";
import { byHandQuery, sendAct } from "./queries.ts";
import type { Act, ByHand, Trouble } from "./types.ts";
import { doneWords, FAILED } from "./words.ts";

/** What the page keeps for its cards, since a card goes when its step goes. */
export type Bench = {
  trouble: Trouble | null;
  tell: (trouble: Trouble | null) => void;
  /** The step that was taken on this page last: its field takes the scanner. */
  taken: string | null;
  take: (id: string) => void;
  /** A step has left somebody's hands. */
  leave: () => void;
};

/** Says what somebody does with a step, and reads the list anew, also after a refusal. */
export function useAct(step: ByHand, bench: Bench) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (act: Act) => sendAct(step.id, act),
    onMutate: () => bench.tell(null),
    onSuccess: (answer, act) => {
      say(doneWords(act, answer));
      if (act.kind === "take") bench.take(step.id);
      else bench.leave();
    },
    onError: (error, act) => bench.tell({ step, what: FAILED[act.kind], error }),
    onSettled: async () => {
      for (const name of ["jobs", "tasks", "plates", "progress"])
        void client.invalidateQueries({ queryKey: [name] });
      await client.invalidateQueries({ queryKey: byHandQuery.queryKey });
    },
  });
}

export type Acting = ReturnType<typeof useAct>;
