import { Button, Checkbox, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, freshKey } from "../api/client.ts";
import { hasCode } from "../api/problem.ts";
import { Dialog } from "../display/Dialog.tsx";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { say } from "../display/said.ts";

/** Starts a round whatever the calendar says. */
export function StartRound({ campaign, close }: { campaign: string; close: () => void }) {
  const client = useQueryClient();
  const [despite, setDespite] = useState(false);
  const starting = useMutation({
    mutationFn: () =>
      api.POST("/api/v1/campaigns/{id}/start-round", {
        params: { path: { id: campaign }, header: { "idempotency-key": freshKey() } },
        body: { despite_blackout: despite },
      }),
    onSuccess: async () => {
      say("The round begins.");
      close();
      for (const name of ["campaigns", "progress", "tasks", "rounds", "batches"])
        await client.invalidateQueries({ queryKey: [name] });
    },
  });
  return (
    <Dialog pending={starting.isPending} opened onClose={close} title="Start a round now">
      <Stack>
        {starting.error ? <ProblemNotice error={starting.error} what="No round was started" /> : null}
        <Text size="sm">Whatever the calendar says. Its own ticks stay as they are.</Text>
        {despite || hasCode(starting.error, "round.in_blackout") ? (
          <Checkbox
            label="Although the laboratory is closed"
            checked={despite}
            onChange={(event) => setDespite(event.currentTarget.checked)}
          />
        ) : null}
        <Group justify="flex-end">
          <Button variant="default" disabled={starting.isPending} onClick={close}>
            Back
          </Button>
          <Button data-autofocus loading={starting.isPending} onClick={() => starting.mutate()}>
            Start it
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
