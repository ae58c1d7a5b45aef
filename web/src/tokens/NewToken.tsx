import { Alert, Button, Checkbox, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../api/client.ts";
import type { components } from "../api/schema";
import type { Scope } from "../api/types.ts";
import { Dialog } from "../display/Dialog.tsx";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { Secret } from "../display/Secret.tsx";
import { mayEverywhere, useSession } from "../session/may.ts";
import { SCOPE_WORDS } from "./state.ts";

const LIVES = [
  { value: "24", label: "a day" },
  { value: "168", label: "a week" },
  { value: "720", label: "30 days" },
  { value: "2160", label: "90 days" },
  { value: "8760", label: "a year" },
];
type Kind = components["schemas"]["ActorKind"];

/** Makes a token; its secret is shown here once and never again. */
export function NewToken({ close }: { close: () => void }) {
  const session = useSession();
  const isAdmin = mayEverywhere(session, "admin");
  const client = useQueryClient();
  const [label, setLabel] = useState("");
  const [kind, setKind] = useState<Kind>("person");
  const [actor, setActor] = useState("");
  const [hours, setHours] = useState("720");
  const [scopes, setScopes] = useState<string[]>(["read"]);
  const own = kind === "person";
  const offered = offeredScopes(kind, session.scopes);
  const chosen = scopes.filter((scope) => offered.includes(scope as Scope)) as Scope[];
  const making = useMutation({
    mutationFn: () =>
      answer<components["schemas"]["CreatedToken"]>(
        api.POST("/api/v1/tokens", {
          body: {
            actor: own ? session.user.name : actor.trim(),
            kind,
            label: label.trim(),
            scopes: chosen,
            valid_hours: Number(hours),
          },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["tokens"] }),
  });
  if (making.data) {
    return (
      <Modal opened onClose={close} title="The token" closeOnClickOutside={false}>
        <Alert color="yellow" variant="light" mb="sm" title="Copy it now">
          It is kept nowhere, and never shown again.
        </Alert>
        <Secret text={making.data.secret} what="token" />
        <Group justify="flex-end" mt="md">
          <Button onClick={close}>I have it</Button>
        </Group>
      </Modal>
    );
  }
  return (
    <Dialog pending={making.isPending} opened onClose={close} title="New token">
      <Stack gap="sm">
        {making.error ? <ProblemNotice what="No token was made" error={making.error} /> : null}
        <TextInput
          label="What it is for"
          placeholder="command line on my laptop"
          value={label}
          onChange={(event) => setLabel(event.currentTarget.value)}
          data-autofocus
        />
        {isAdmin ? (
          <Select
            label="For"
            allowDeselect={false}
            data={[
              { value: "person", label: `myself (${session.user.name})` },
              { value: "agent", label: "an agent beside a device" },
              { value: "learner", label: "a learner" },
            ]}
            value={kind}
            onChange={(value) => {
              const next = (value as Kind) ?? "person";
              setKind(next);
              setScopes(next === "agent" ? ["work:bench"] : next === "learner" ? ["work:learn"] : ["read"]);
            }}
          />
        ) : null}
        {own ? null : (
          <TextInput
            label="Name of the actor"
            placeholder="agent-ot2"
            value={actor}
            onChange={(event) => setActor(event.currentTarget.value)}
          />
        )}
        <Select
          label="Valid for"
          allowDeselect={false}
          data={LIVES}
          value={hours}
          onChange={(value) => setHours(value ?? "720")}
        />
        <Checkbox.Group label="What it may" value={chosen} onChange={setScopes}>
          <Stack gap={6} mt={6}>
            {offered.map((scope) => (
              <Checkbox
                key={scope}
                size="xs"
                value={scope}
                label={
                  <>
                    {SCOPE_WORDS[scope] ?? scope}{" "}
                    <span className="lw-mono" style={{ color: "var(--lw-ink-faint)" }}>
                      {scope}
                    </span>
                  </>
                }
              />
            ))}
          </Stack>
        </Checkbox.Group>
        <Text size="xs" c="dimmed">
          Give it no more than it needs: whoever has it can do what it may, as this actor.
        </Text>
        <Group justify="flex-end">
          <Button variant="default" disabled={making.isPending} onClick={close}>
            Back
          </Button>
          <Button
            loading={making.isPending}
            disabled={!label.trim() || chosen.length === 0 || (!own && !actor.trim())}
            onClick={() => making.mutate()}
          >
            Make it
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

/** Own tokens stay within one's own scopes; agents and learners have one each. */
export function offeredScopes(kind: Kind, mine: readonly Scope[]): Scope[] {
  if (kind === "agent") return ["work:bench"];
  if (kind === "learner") return ["work:learn"];
  return (Object.keys(SCOPE_WORDS) as Scope[]).filter((scope) => mine.includes(scope));
}
