import { Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { AskReason } from "../display/AskReason.tsx";
import { say } from "../display/said.ts";
import { useSayIfGone } from "../display/useSayIfGone.ts";
import { sendOrder } from "./send.ts";
import type { Order, SubjectKind } from "./types.ts";
import { WORDS } from "./words.ts";

export type Subject = { kind: SubjectKind; id: string; name: string };
type Props = { subject: Subject; order: Order; close: () => void };

/** Reads that an order may make old. */
const OLD = [
  "campaigns",
  "progress",
  "rounds",
  "jobs",
  "instruments",
  "tasks",
  "batches",
  "why",
  "standstills",
];

/** Says what an order does, asks why, and gives it. */
export function OrderDialog({ subject, order, close }: Props) {
  const words = WORDS[subject.kind][order];
  const client = useQueryClient();
  const [back, setBack] = useState("");
  const ordering = useMutation({
    mutationFn: (reason: string) =>
      sendOrder(subject.kind, subject.id, order, reason, {
        backLabAt: back ? new Date(back).toISOString() : null,
      }),
    onSuccess: async () => {
      say(words.done);
      close();
      for (const name of OLD) await client.invalidateQueries({ queryKey: [name] });
    },
    onError: useSayIfGone(`${words.verb} ${subject.name}: nothing was changed`),
  });
  const goesOut = subject.kind === "instrument" && order !== "resume";
  return (
    <AskReason
      title={`${words.verb} ${subject.name}`}
      button={words.button}
      danger={words.danger ?? false}
      optional={subject.kind === "round" && order === "resume"}
      act={ordering.mutate}
      pending={ordering.isPending}
      error={ordering.error}
      failed="Nothing was changed"
      close={close}
    >
      <Text size="sm">{words.does}</Text>
      {goesOut ? (
        <TextInput
          type="datetime-local"
          label="Expected back"
          description="Optional, for people to read; nothing happens then by itself."
          value={back}
          onChange={(event) => setBack(event.currentTarget.value)}
        />
      ) : null}
    </AskReason>
  );
}
