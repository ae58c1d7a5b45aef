import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { plain } from "../api/client.ts";
import type { User } from "../api/types.ts";
import { Dialog } from "../display/Dialog.tsx";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { Secret } from "../display/Secret.tsx";
import { say } from "../display/said.ts";

export type UserCommandKind = "disable" | "enable" | "password" | "sign-out";

const PASSWORD_INSTEAD =
  "gets a password, which you hand over, and signs in with it from now on: the identity provider opens the account no more. Open sessions end, and tokens are revoked.";

const WORDS: Record<UserCommandKind, { title: string; text: string; button: string; done: string }> = {
  disable: {
    title: "Disable",
    text: "cannot sign in any more, and every session ends at once. What was done stays under the name.",
    button: "Disable",
    done: "Disabled.",
  },
  enable: {
    title: "Enable",
    text: "can sign in again, as before.",
    button: "Enable",
    done: "Enabled.",
  },
  password: {
    title: "New password for",
    text: "gets a fresh password, which you hand over; it has to be changed at the next sign-in. Open sessions end.",
    button: "Make a new password",
    done: "",
  },
  "sign-out": {
    title: "Sign out",
    text: "is signed out of every browser.",
    button: "Sign out everywhere",
    done: "Signed out everywhere.",
  },
};

export function UserCommand({ user, what, close }: { user: User; what: UserCommandKind; close: () => void }) {
  const client = useQueryClient();
  const words = WORDS[what];
  const doing = useMutation({
    mutationFn: () =>
      what === "sign-out"
        ? plain<undefined>("DELETE", `/api/v1/users/${user.id}/sessions`)
        : plain<{ initial_password?: string } | undefined>("POST", `/api/v1/users/${user.id}/${what}`),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["users"] });
      if (what === "password") return;
      say(words.done);
      close();
    },
  });
  const secret = doing.data?.initial_password;
  return (
    <Dialog
      pending={doing.isPending}
      opened
      onClose={close}
      title={`${words.title} ${user.display_name}`}
      closeOnClickOutside={!secret}
    >
      <Stack>
        {doing.error ? <ProblemNotice what="Nothing was changed" error={doing.error} /> : null}
        {secret ? (
          <>
            <Alert color="yellow" variant="light" title="Hand it over now">
              It is shown once.
            </Alert>
            <Secret text={secret} what="password" />
            <Group justify="flex-end">
              <Button onClick={close}>I have it</Button>
            </Group>
          </>
        ) : (
          <>
            <Text size="sm">
              <strong>{user.display_name}</strong>{" "}
              {what === "password" && user.signs_in_by === "provider" ? PASSWORD_INSTEAD : words.text}
            </Text>
            <Group justify="flex-end">
              <Button variant="default" disabled={doing.isPending} onClick={close}>
                Back
              </Button>
              <Button
                color={what === "disable" ? "red" : undefined}
                loading={doing.isPending}
                onClick={() => doing.mutate()}
              >
                {words.button}
              </Button>
            </Group>
          </>
        )}
      </Stack>
    </Dialog>
  );
}
