import { Button, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import type { Token } from "../api/types.ts";
import { Dialog } from "../display/Dialog.tsx";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { say } from "../display/said.ts";

export function RevokeToken({ token, close }: { token: Token; close: () => void }) {
  const client = useQueryClient();
  const revoking = useMutation({
    mutationFn: () => api.DELETE("/api/v1/tokens/{id}", { params: { path: { id: token.id } } }),
    onSuccess: async () => {
      say("Revoked: it opens nothing from now on.");
      close();
      await client.invalidateQueries({ queryKey: ["tokens"] });
    },
  });
  return (
    <Dialog pending={revoking.isPending} opened onClose={close} title="Revoke this token">
      <Stack>
        {revoking.error ? <ProblemNotice what="The token still works" error={revoking.error} /> : null}
        <Text size="sm">
          <strong>{token.label}</strong> of {token.actor} opens nothing from now on. Whatever uses it stops
          with an error; this cannot be taken back, but a new one is made in a minute.
        </Text>
        <Group justify="flex-end">
          <Button variant="default" disabled={revoking.isPending} onClick={close}>
            Back
          </Button>
          <Button color="red" loading={revoking.isPending} onClick={() => revoking.mutate()}>
            Revoke
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
