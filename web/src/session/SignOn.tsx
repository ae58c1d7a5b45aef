import { Button, Divider, Stack } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { plain } from "../api/client.ts";
import { ProblemError } from "../api/problem.ts";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import classes from "./SignOn.module.css";
import { safeReturn } from "./sign-in.ts";
import { refusalOf } from "./sign-on.ts";

type Props = {
  /** What the button says; `null` while nobody signs on by an identity provider here. */
  label: string | null;
  refused: string | undefined;
  from: string | undefined;
};

/** The way in by the laboratory's identity provider, and why it led back here. */
export function SignOn({ label, refused, from }: Props) {
  const leaving = useMutation({
    mutationFn: () =>
      plain<{ location: string }>("POST", "/api/v1/session/sign-on", { body: { from: safeReturn(from) } }),
    onSuccess: ({ location }) => window.location.assign(location),
  });
  const refusal = refused && !leaving.error && !leaving.isPending ? refusalOf(refused) : null;
  if (!label && !refusal) return null;
  return (
    <Stack gap="sm" mb="sm">
      {leaving.error ? <ProblemNotice error={leaving.error} what="You are not signed in" /> : null}
      {refusal ? (
        <ProblemNotice
          error={new ProblemError({ code: refusal.code, detail: refusal.detail, status: 0 })}
          what={refusal.what}
        />
      ) : null}
      {label ? (
        <>
          <Button
            fullWidth
            // It stays busy until the browser has left.
            loading={leaving.isPending || leaving.isSuccess}
            onClick={() => leaving.mutate()}
            classNames={{ root: classes.button, label: classes.label }}
          >
            {label}
          </Button>
          <Divider label="or with a name and a password" />
        </>
      ) : null}
    </Stack>
  );
}
