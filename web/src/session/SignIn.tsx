import { Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { problemOf } from "../api/problem.ts";
import { signOnQuery } from "../api/queries.ts";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { Door } from "./Door.tsx";
import { SignOn } from "./SignOn.tsx";
import { safeReturn, signIn } from "./sign-in.ts";

type Props = {
  from: string | undefined;
  /** Why the identity provider's word did not open the door. */
  refused: string | undefined;
};

export function SignIn({ from, refused }: Props) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const client = useQueryClient();
  const label = useQuery(signOnQuery).data?.label;
  const router = useRouter();
  const entering = useMutation({
    mutationFn: (who: { name: string; password: string }) => signIn(client, who.name.trim(), who.password),
    onSuccess: (session) => {
      const target = safeReturn(from);
      if (session.must_change_password)
        return router.navigate({ to: "/new-password", search: { from: target } });
      return router.navigate({ href: target });
    },
    onError: () => setPassword(""),
  });
  useEffect(() => {
    document.title = "Sign in · Loopwright";
  }, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    entering.mutate({ name, password });
  };
  return (
    <Door
      title="Sign in"
      below={
        <Text size="xs" c="dimmed" ta="center">
          Running the demo? Names and passwords stand in the terminal.
        </Text>
      }
    >
      <SignOn label={label ?? null} refused={refused} from={from} />
      <form onSubmit={submit}>
        <Stack gap="sm">
          {entering.error ? <ProblemNotice error={entering.error} what={whatOf(entering.error)} /> : null}
          <TextInput
            label="Name"
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            required
            withAsterisk={false}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password"
            name="password"
            autoComplete="current-password"
            required
            withAsterisk={false}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <Button type="submit" loading={entering.isPending} mt={4} fullWidth>
            Sign in
          </Button>
          <Text size="xs" c="dimmed">
            No account, or the password is lost? An administrator of this laboratory makes a new one under
            Users.
          </Text>
        </Stack>
      </form>
    </Door>
  );
}

function whatOf(error: unknown) {
  const { code, retryAfter } = problemOf(error);
  if (code === "session.wrong_credentials") return "Name and password do not fit";
  if (code === "session.throttled") {
    return retryAfter ? `Too many tries: wait ${retryAfter} s` : "Too many tries: wait a moment";
  }
  if (code === "session.account_disabled") return "This account is disabled";
  return "You are not signed in";
}
