import { Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { sessionQuery } from "../api/queries.ts";
import { Door } from "./Door.tsx";
import { PasswordForm } from "./PasswordForm.tsx";
import { keepSession, safeReturn } from "./sign-in.ts";

export function NewPassword({ from }: { from: string | undefined }) {
  const client = useQueryClient();
  const router = useRouter();
  const done = async () => {
    keepSession(client, await client.fetchQuery({ ...sessionQuery, staleTime: 0 }));
    await router.navigate({ href: safeReturn(from) });
  };
  return (
    <Door title="Choose a password of your own">
      <Text size="sm" c="dimmed" mb="sm">
        The one you signed in with was made by an administrator: only you should know yours.
      </Text>
      <PasswordForm done={done} action="Keep it and go on" />
    </Door>
  );
}
