import {
  Alert,
  Button,
  Group,
  Modal,
  MultiSelect,
  SegmentedControl,
  Select,
  Stack,
  TextInput,
} from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../api/client.ts";
import type { components } from "../api/schema";
import type { ChannelKind, Severity, Topic } from "../api/types.ts";
import { Dialog } from "../display/Dialog.tsx";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { Secret } from "../display/Secret.tsx";
import { KIND, SEVERITY, TOPIC } from "./words.ts";

const LEVELS = [
  { value: "0", label: "at once" },
  { value: "1", label: "when nobody acknowledges (escalation 1)" },
  { value: "2", label: "at escalation 2" },
  { value: "3", label: "at escalation 3" },
];
const options = (words: Record<string, string>) =>
  Object.entries(words).map(([value, label]) => ({ value, label }));

/** Adds a way out to people. A webhook's signing secret is shown here once and never again. */
export function NewChannel({ close }: { close: () => void }) {
  const client = useQueryClient();
  const [kind, setKind] = useState<ChannelKind>("webhook");
  const [name, setName] = useState("");
  const [target, setTarget] = useState("");
  const [severity, setSeverity] = useState<Severity>("info");
  const [topics, setTopics] = useState<string[]>([]);
  const [level, setLevel] = useState("0");
  const adding = useMutation({
    mutationFn: () =>
      answer<components["schemas"]["ChannelAnswer"]>(
        api.POST("/api/v1/channels", {
          body: {
            kind,
            name: name.trim(),
            target: target.trim(),
            minimum_severity: severity,
            topics: topics as Topic[],
            escalation_level: Number(level),
          },
        }),
      ),
    onSuccess: (made) => {
      if (!made.secret) close();
      return client.invalidateQueries({ queryKey: ["channels"] });
    },
  });
  if (adding.data?.secret) {
    return (
      <Modal opened onClose={close} title="The signing secret" closeOnClickOutside={false}>
        <Alert color="yellow" variant="light" mb="sm" title="Copy it now">
          Whoever receives the webhook verifies its signature with it. It is never shown again.
        </Alert>
        <Secret text={adding.data.secret} what="secret" />
        <Group justify="flex-end" mt="md">
          <Button onClick={close}>I have it</Button>
        </Group>
      </Modal>
    );
  }
  const words = KIND[kind];
  return (
    <Dialog pending={adding.isPending} opened onClose={close} title="New channel">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          adding.mutate();
        }}
      >
        <Stack gap="sm">
          {adding.error ? <ProblemNotice what="No channel was added" error={adding.error} /> : null}
          <SegmentedControl
            aria-label="Kind of channel"
            fullWidth
            value={kind}
            onChange={(value) => setKind(value as ChannelKind)}
            data={(Object.keys(KIND) as ChannelKind[]).map((it) => ({ value: it, label: KIND[it].name }))}
          />
          <TextInput
            label="Name"
            placeholder="on-call"
            maxLength={60}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            data-autofocus
          />
          <TextInput
            label={words.target}
            description={words.hint}
            placeholder={words.example}
            autoComplete="off"
            spellCheck={false}
            value={target}
            onChange={(event) => setTarget(event.currentTarget.value)}
          />
          <Select
            label="Is told"
            allowDeselect={false}
            data={options(SEVERITY)}
            value={severity}
            onChange={(value) => setSeverity((value as Severity) ?? "info")}
          />
          <MultiSelect
            label="About"
            placeholder={topics.length === 0 ? "every topic" : undefined}
            data={options(TOPIC)}
            value={topics}
            onChange={setTopics}
            clearable
          />
          <Select
            label="When"
            allowDeselect={false}
            data={LEVELS}
            value={level}
            onChange={(value) => setLevel(value ?? "0")}
          />
          <Group justify="flex-end">
            <Button variant="default" disabled={adding.isPending} onClick={close}>
              Back
            </Button>
            <Button type="submit" loading={adding.isPending} disabled={!name.trim() || !target.trim()}>
              Add it
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
