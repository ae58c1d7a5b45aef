import { Button, Group, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { Dialog } from "../../display/Dialog.tsx";
import { Facts } from "../../display/Facts.tsx";
import { PageHead } from "../../display/PageHead.tsx";
import { Panel } from "../../display/Panel.tsx";
import { ProblemNotice } from "../../display/ProblemNotice.tsx";
import { say } from "../../display/said.ts";
import { When } from "../../display/When.tsx";
import classes from "../../session/Account.module.css";
import { useSession } from "../../session/may.ts";
import { PasswordForm } from "../../session/PasswordForm.tsx";
import { signOut } from "../../session/sign-in.ts";
import { SCOPE_WORDS } from "../../tokens/state.ts";
import { grantWords } from "../../users/grants.ts";

export const Route = createFileRoute("/_app/account")({ component: Page });

function Page() {
  const session = useSession();
  return (
    <>
      <PageHead title="My account" note={`${session.user.display_name}, signed in as ${session.user.name}`} />
      <div className={classes.grid}>
        <Panel title="Roles">
          <Text size="sm" mb="xs">
            {grantWords(session.grants)}
          </Text>
          <Text size="sm" c="dimmed">
            You may {session.scopes.map((scope) => SCOPE_WORDS[scope] ?? scope).join(", ")}.
          </Text>
        </Panel>
        <Panel title="This session">
          <Facts
            facts={[
              { label: "Ends at the latest", value: <When at={session.expires_at} /> },
              { label: "Ends when idle", value: <When at={session.idle_expires_at} /> },
            ]}
          />
          <SignOutEverywhere />
        </Panel>
        {session.signs_in_by === "password" ? (
          <Panel title="Password">
            <PasswordForm done={() => say("Your password is changed.")} action="Change it" />
          </Panel>
        ) : (
          <Panel title="Signing in">
            <Text size="sm">
              You sign in with the laboratory's identity provider, and have no password here. Signing out here
              does not sign you out there.
            </Text>
          </Panel>
        )}
      </div>
    </>
  );
}

function SignOutEverywhere() {
  const [opened, { open, close }] = useDisclosure();
  const client = useQueryClient();
  const navigate = useNavigate();
  const leaving = useMutation({
    mutationFn: () => signOut(client, true),
    onSuccess: () => navigate({ to: "/sign-in" }),
  });
  return (
    <>
      <Button variant="default" mt="md" onClick={open}>
        Sign out everywhere…
      </Button>
      <Dialog pending={leaving.isPending} opened={opened} onClose={close} title="Sign out everywhere">
        {leaving.error ? <ProblemNotice what="You are still signed in" error={leaving.error} /> : null}
        <Text size="sm" mb="md">
          Every browser you are signed in with is signed out, this one too. Tokens stay as they are.
        </Text>
        <Group justify="flex-end">
          <Button variant="default" disabled={leaving.isPending} onClick={close}>
            Back
          </Button>
          <Button loading={leaving.isPending} onClick={() => leaving.mutate()}>
            Sign out everywhere
          </Button>
        </Group>
      </Dialog>
    </>
  );
}
