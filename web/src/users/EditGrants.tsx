import { Button, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { plain } from "../api/client.ts";
import type { Grant, User } from "../api/types.ts";
import { Dialog } from "../display/Dialog.tsx";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { say } from "../display/said.ts";
import { GrantsField } from "./GrantsField.tsx";
import { asSent } from "./grants.ts";

export function EditGrants({ user, close }: { user: User; close: () => void }) {
  const client = useQueryClient();
  const [grants, setGrants] = useState<Grant[]>(user.grants);
  const keeping = useMutation({
    mutationFn: () => plain("PUT", `/api/v1/users/${user.id}/grants`, { body: { grants: asSent(grants) } }),
    onSuccess: async () => {
      say(`Roles of ${user.display_name} changed.`);
      close();
      await client.invalidateQueries({ queryKey: ["users"] });
    },
  });
  return (
    <Dialog pending={keeping.isPending} opened onClose={close} title={`Roles of ${user.display_name}`}>
      <Stack>
        {keeping.error ? <ProblemNotice what="The roles are as they were" error={keeping.error} /> : null}
        <GrantsField grants={grants} change={setGrants} />
        {grants.length === 0 ? (
          <Text size="sm" c="dimmed">
            Without a role one can sign in and see nothing.
          </Text>
        ) : null}
        <Group justify="flex-end">
          <Button variant="default" disabled={keeping.isPending} onClick={close}>
            Back
          </Button>
          <Button loading={keeping.isPending} onClick={() => keeping.mutate()}>
            Keep
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
