import { Button, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import type { Blackout } from "../api/types.ts";
import { Dialog } from "../display/Dialog.tsx";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { say } from "../display/said.ts";
import { wallMoment } from "./wall.ts";

export function RemoveBlackout({ blackout, close }: { blackout: Blackout; close: () => void }) {
  const client = useQueryClient();
  const removing = useMutation({
    mutationFn: () =>
      api.DELETE("/api/v1/calendar/blackouts/{id}", { params: { path: { id: blackout.id } } }),
    onSuccess: async () => {
      say("It is off the calendar.");
      close();
      for (const name of ["blackouts", "calendar", "next-ticks"])
        await client.invalidateQueries({ queryKey: [name] });
    },
  });
  return (
    <Dialog pending={removing.isPending} opened onClose={close} title="Take it off the calendar">
      <Stack>
        {removing.error ? <ProblemNotice what="It is still there" error={removing.error} /> : null}
        <Text size="sm">
          <strong>{blackout.reason}</strong>: {blackout.instrument ?? "the whole laboratory"},{" "}
          {wallMoment(blackout.from_lab_at, blackout.zone)} to {wallMoment(blackout.to_lab_at, blackout.zone)}
          . Rounds that it would have moved begin at their own time again; those that were judged already stay
          as they are.
        </Text>
        <Group justify="flex-end">
          <Button variant="default" disabled={removing.isPending} onClick={close}>
            Back
          </Button>
          <Button color="red" loading={removing.isPending} onClick={() => removing.mutate()}>
            Take it off
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
