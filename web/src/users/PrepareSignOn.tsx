import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { plain } from "../api/client.ts";
import type { User } from "../api/types.ts";
import { Dialog } from "../display/Dialog.tsx";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { say } from "../display/said.ts";

/** Lets an account await its owner's next sign-on by the identity provider: from a password, or linked anew. */
export function PrepareSignOn({ user, close }: { user: User; close: () => void }) {
  const client = useQueryClient();
  const [email, setEmail] = useState(user.email ?? "");
  const preparing = useMutation({
    mutationFn: () => plain("PUT", `/api/v1/users/${user.id}/sign-on`, { body: { email: email.trim() } }),
    onSuccess: async () => {
      say(`${user.display_name} is awaited by the identity provider's word.`);
      close();
      await client.invalidateQueries({ queryKey: ["users"] });
    },
  });
  const hasPassword = user.signs_in_by === "password";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    preparing.mutate();
  };
  return (
    <Dialog
      pending={preparing.isPending}
      opened
      onClose={close}
      title={hasPassword ? `Sign-on of ${user.display_name}` : `Unlink ${user.display_name}`}
    >
      <form onSubmit={submit}>
        <Stack>
          {preparing.error ? <ProblemNotice what="Nothing was changed" error={preparing.error} /> : null}
          <Text size="sm">
            {hasPassword
              ? "From now on the identity provider alone opens this account: the password is gone, and every session ends. Tokens stay."
              : "Whoever signs on to this account now is its owner no more, and every session ends. Tokens stay."}{" "}
            At the next sign-on it is linked to whoever the provider says has this address.
          </Text>
          <TextInput
            label="E-mail"
            type="email"
            required
            withAsterisk={false}
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
            data-autofocus
          />
          <Group justify="flex-end">
            <Button variant="default" disabled={preparing.isPending} onClick={close}>
              Back
            </Button>
            <Button
              type="submit"
              color={hasPassword ? undefined : "red"}
              loading={preparing.isPending}
              disabled={!email.trim()}
            >
              {hasPassword ? "Let it sign on" : "Unlink"}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
