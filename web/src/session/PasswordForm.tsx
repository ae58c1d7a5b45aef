import { Button, PasswordInput, Stack } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { plain } from "../api/client.ts";
import { ProblemNotice } from "../display/ProblemNotice.tsx";

export const SHORTEST_PASSWORD = 12;

/** What is wrong with a new password before the server is asked; `null` when nothing is. */
export function passwordFault(next: string, again: string, current: string): string | null {
  if (next.length < SHORTEST_PASSWORD)
    return `At least ${SHORTEST_PASSWORD} characters: a few words are easy to keep.`;
  if (next === current) return "This is the password you have now.";
  if (again !== next) return "The two are not the same.";
  return null;
}

export function PasswordForm({ done, action }: { done: () => void; action: string }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [tried, setTried] = useState(false);
  const fault = passwordFault(next, again, current);
  const changing = useMutation({
    mutationFn: () => plain("POST", "/api/v1/session/password", { body: { current, new: next } }),
    onSuccess: () => {
      setCurrent("");
      setNext("");
      setAgain("");
      setTried(false);
      done();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!fault) changing.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {changing.error ? <ProblemNotice error={changing.error} what="The password was not changed" /> : null}
        <PasswordInput
          label="Password now"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={current}
          onChange={(event) => setCurrent(event.currentTarget.value)}
        />
        <PasswordInput
          label="New password"
          description={`At least ${SHORTEST_PASSWORD} characters; no rules about signs.`}
          autoComplete="new-password"
          required
          withAsterisk={false}
          value={next}
          onChange={(event) => setNext(event.currentTarget.value)}
        />
        <PasswordInput
          label="New password again"
          autoComplete="new-password"
          required
          withAsterisk={false}
          value={again}
          error={tried ? fault : null}
          onChange={(event) => setAgain(event.currentTarget.value)}
        />
        <Button type="submit" loading={changing.isPending}>
          {action}
        </Button>
      </Stack>
    </form>
  );
}
