import { Button, Group, Radio, Stack, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api, freshKey } from "../api/client.ts";
import type { Decision, PlateLine } from "../api/types.ts";
import { Panel } from "../display/Panel.tsx";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { say } from "../display/said.ts";
import { ROLE_FOR, useMay } from "../session/may.ts";

const CHOICES: { value: Decision; label: string; description: string; for: string[] }[] = [
  {
    value: "release",
    label: "Release it",
    description:
      "Its observations count and train the model, although QC failed. Your reason stands beside them for ever.",
    for: ["quarantined"],
  },
  {
    value: "repeat",
    label: "Make it again",
    description:
      "A new generation of the plate is planned, with a fresh assay plate and reagents. This one trains nothing.",
    for: ["quarantined", "lost"],
  },
  {
    value: "give_up",
    label: "Give it up",
    description: "Its experiments end as given up, with your reason. Nothing more is spent on them.",
    for: ["quarantined", "lost"],
  },
];

/** Release, repeat, give up: for a plate that waits for a person. */
export function DecidePlate({ plate }: { plate: PlateLine }) {
  const may = useMay("plate:decide");
  const client = useQueryClient();
  const [decision, setDecision] = useState<Decision | null>(null);
  const [reason, setReason] = useState("");
  const deciding = useMutation({
    mutationFn: (chosen: Decision) =>
      answer<PlateLine>(
        api.POST("/api/v1/plates/{id}/decide", {
          params: { path: { id: plate.id }, header: { "idempotency-key": freshKey() } },
          body: { decision: chosen, reason: reason.trim() },
        }),
      ),
    onSuccess: async () => {
      say("Decided.");
      for (const name of ["plates", "tasks", "progress"])
        await client.invalidateQueries({ queryKey: [name] });
    },
  });
  const choices = CHOICES.filter((choice) => choice.for.includes(plate.state));
  if (choices.length === 0) return null;
  return (
    <Panel
      title={plate.state === "lost" ? "This plate was lost: what now?" : "This plate failed QC: what now?"}
    >
      <Stack gap="sm">
        {deciding.error ? <ProblemNotice what="Nothing was decided" error={deciding.error} /> : null}
        <Radio.Group
          aria-label="Decision"
          value={decision}
          onChange={(value) => setDecision(value as Decision)}
        >
          <Stack gap="xs">
            {choices.map((choice) => (
              <Radio
                key={choice.value}
                value={choice.value}
                label={choice.label}
                description={choice.description}
                disabled={!may}
              />
            ))}
          </Stack>
        </Radio.Group>
        <Textarea
          label="Why"
          description={
            may ? "What you saw, or what was agreed." : `Deciding needs the role ${ROLE_FOR["plate:decide"]}.`
          }
          autosize
          minRows={2}
          disabled={!may}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Group justify="flex-end">
          <Button
            disabled={!may || !decision || !reason.trim()}
            loading={deciding.isPending}
            onClick={() => decision && deciding.mutate(decision)}
          >
            {decision ? (choices.find((it) => it.value === decision)?.label ?? "Decide") : "Decide"}
          </Button>
        </Group>
      </Stack>
    </Panel>
  );
}
