import { Button, Paper, PasswordInput, Stack, Text, TextInput, UnstyledButton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { problemOf } from "../api/problem.ts";
import { demoPeopleQuery } from "../api/queries.ts";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { Door } from "./Door.tsx";
import classes from "./SignIn.module.css";
import { safeReturn, signIn } from "./sign-in.ts";

export function SignIn({ from }: { from: string | undefined }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const client = useQueryClient();
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
      below={<DemoPeople choose={(who) => entering.mutate(who)} busy={entering.isPending} />}
    >
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

/** The made-up people of a demo, so that a newcomer is in with one click. */
function DemoPeople({
  choose,
  busy,
}: {
  choose: (who: { name: string; password: string }) => void;
  busy: boolean;
}) {
  const { data } = useQuery(demoPeopleQuery);
  if (!data || data.length === 0) return null;
  return (
    <Paper p="md">
      <Text size="sm" fw={560}>
        This is a demo: come in as
      </Text>
      <div className={classes.people}>
        {data.map((person) => (
          <UnstyledButton
            key={person.name}
            className={classes.person}
            disabled={busy}
            onClick={() => choose({ name: person.name, password: person.password })}
          >
            <span className={classes.name}>{person.display_name ?? person.name}</span>
            <span className={classes.role}>{person.role}</span>
          </UnstyledButton>
        ))}
      </div>
    </Paper>
  );
}
