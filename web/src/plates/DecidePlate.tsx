import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, api, freshKey } from "../api/client.ts";
import type { Decision, PlateLine } from "../api/types.ts";
import { type Choice, ChoiceWithReason } from "../display/ChoiceWithReason.tsx";
import { Panel } from "../display/Panel.tsx";
import { say } from "../display/said.ts";
import { ROLE_FOR, useMay } from "../session/may.ts";

const CHOICES: (Choice<Decision> & { for: string[] })[] = [
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
  const deciding = useMutation({
    mutationFn: (body: { decision: Decision; reason: string }) =>
      answer<PlateLine>(
        api.POST("/api/v1/plates/{id}/decide", {
          params: { path: { id: plate.id }, header: { "idempotency-key": freshKey() } },
          body,
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
      <ChoiceWithReason
        label="Decision"
        choices={choices}
        reason={{ label: "Why", hint: "What you saw, or what was agreed." }}
        off={may ? undefined : `Deciding needs the role ${ROLE_FOR["plate:decide"]}.`}
        button={(chosen) => choices.find((it) => it.value === chosen)?.label ?? "Decide"}
        decide={(decision, reason) => deciding.mutate({ decision, reason })}
        pending={deciding.isPending}
        error={deciding.error}
        failed="Nothing was decided"
      />
    </Panel>
  );
}
