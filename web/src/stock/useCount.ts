import { useMutation, useQueryClient } from "@tanstack/react-query";
import { say } from "../display/said.ts";
import { renewStock, sendVolumes } from "./send.ts";
import { countedWords } from "./words.ts";

/** Sends what was found in wells, and says what it changed. */
export function useCount(close: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ csv, reason }: { csv: string; reason: string }) => sendVolumes(csv, reason),
    onSuccess: async (counted) => {
      say(countedWords(counted));
      close();
      await renewStock(client);
    },
  });
}
