import { Button, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import type { Channel } from "../api/types.ts";
import { Dialog } from "../display/Dialog.tsx";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { say } from "../display/said.ts";

export function RemoveChannel({ channel, close }: { channel: Channel; close: () => void }) {
  const client = useQueryClient();
  const removing = useMutation({
    mutationFn: () => api.DELETE("/api/v1/channels/{id}", { params: { path: { id: channel.id } } }),
    onSuccess: async () => {
      say(`${channel.name} is removed.`);
      close();
      await client.invalidateQueries({ queryKey: ["channels"] });
    },
  });
  return (
    <Dialog pending={removing.isPending} opened onClose={close} title="Remove this channel">
      <Stack>
        {removing.error ? <ProblemNotice what="The channel is still there" error={removing.error} /> : null}
        <Text size="sm">
          <strong>{channel.name}</strong> ({channel.target}) is told nothing any more, and its secret is
          forgotten. What was delivered stays on record. To stop it for a while, disable it instead.
        </Text>
        <Group justify="flex-end">
          <Button variant="default" disabled={removing.isPending} onClick={close}>
            Back
          </Button>
          <Button color="red" loading={removing.isPending} onClick={() => removing.mutate()}>
            Remove
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
