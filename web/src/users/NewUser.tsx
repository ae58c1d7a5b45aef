import { Alert, Button, Group, Modal, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { plain } from "../api/client.ts";
import { signOnQuery } from "../api/queries.ts";
import type { CreatedUser, Grant, SignsInBy } from "../api/types.ts";
import { Dialog } from "../display/Dialog.tsx";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { Secret } from "../display/Secret.tsx";
import { GrantsField } from "./GrantsField.tsx";
import { asSent } from "./grants.ts";

export function NewUser({ close }: { close: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [displayName, setDisplayName] = useState("");
  const [email, setEmail] = useState("");
  const [signsInBy, setSignsInBy] = useState<SignsInBy>("password");
  const signsOn = signsInBy === "provider";
  const canSignOn = Boolean(useQuery(signOnQuery).data?.label);
  const [grants, setGrants] = useState<Grant[]>([{ project_id: null, role: "scientist" }]);
  const making = useMutation({
    mutationFn: () =>
      plain<CreatedUser>("POST", "/api/v1/users", {
        body: {
          name: name.trim(),
          display_name: displayName.trim() || name.trim(),
          email: email.trim() || undefined,
          grants: asSent(grants),
          signs_in_by: signsInBy,
        },
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["users"] }),
  });
  if (making.data && !making.data.initial_password) {
    return (
      <Modal opened onClose={close} title={`${making.data.user.display_name} can sign on`}>
        <Text size="sm">
          Whoever the identity provider says has the address <strong>{making.data.user.email}</strong> is the
          owner of this account, from their first sign-on. There is no password to hand over.
        </Text>
        <Group justify="flex-end" mt="md">
          <Button onClick={close}>Good</Button>
        </Group>
      </Modal>
    );
  }
  if (making.data?.initial_password) {
    return (
      <Modal
        opened
        onClose={close}
        title={`${making.data.user.display_name} can sign in`}
        closeOnClickOutside={false}
      >
        <Alert color="yellow" variant="light" mb="sm" title="Hand over this password now">
          It is shown once, and has to be changed at the first sign-in as{" "}
          <strong>{making.data.user.name}</strong>.
        </Alert>
        <Secret text={making.data.initial_password} what="password" />
        <Group justify="flex-end" mt="md">
          <Button onClick={close}>I have it</Button>
        </Group>
      </Modal>
    );
  }
  return (
    <Dialog pending={making.isPending} opened onClose={close} title="New user">
      <Stack gap="sm">
        {making.error ? <ProblemNotice what="No user was made" error={making.error} /> : null}
        {canSignOn ? (
          <SegmentedControl
            aria-label="Signs in by"
            fullWidth
            data={[
              { value: "password", label: "Password" },
              { value: "provider", label: "Identity provider" },
            ]}
            value={signsInBy}
            onChange={(value) => setSignsInBy(value as SignsInBy)}
          />
        ) : null}
        <TextInput
          label={signsOn ? "Name in the record" : "Name to sign in with"}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          autoCapitalize="none"
          spellCheck={false}
          data-autofocus
        />
        <TextInput
          label="Name to be shown"
          value={displayName}
          onChange={(event) => setDisplayName(event.currentTarget.value)}
        />
        <TextInput
          label="E-mail"
          description={
            signsOn
              ? "As the identity provider tells it: it decides whose account this is."
              : "May stay empty."
          }
          type="email"
          required={signsOn}
          withAsterisk={false}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <GrantsField grants={grants} change={setGrants} />
        <Text size="xs" c="dimmed">
          {signsOn ? "There is no password." : "The server makes the first password."}
        </Text>
        <Group justify="flex-end">
          <Button variant="default" disabled={making.isPending} onClick={close}>
            Back
          </Button>
          <Button
            loading={making.isPending}
            disabled={!name.trim() || (signsOn && !email.trim())}
            onClick={() => making.mutate()}
          >
            Make the user
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
