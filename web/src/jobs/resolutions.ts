// The three safe answers about a job in doubt, and what each will do. Pure.

import type { JobDetail, JobKind, Resolution } from "../api/types.ts";
import type { Choice } from "../display/ChoiceWithReason.tsx";
import type { Evidence } from "./evidence.ts";

/** What "it happened" takes as what came of it, by kind and by whether a report brought something. */
function doneWords(kind: JobKind, offered: boolean): string {
  switch (kind) {
    case "dispense":
      return offered
        ? "The plate goes on, with the volumes that its agent reported."
        : "The plate goes on as ordered: every transfer counts as done and its reagents as spent, with no measured volume.";
    case "move":
      return offered
        ? "The plates stand where the agent reported them."
        : "The plates count as standing where they were to go; no scan has confirmed it.";
    case "read":
      return offered
        ? "The file that its agent brought is taken, and the plate is judged."
        : "There is no file of it: the plate goes into quarantine without readings. Reading it again does no harm.";
    case "incubate":
      return "The incubation counts, and what follows is due at its time.";
    default:
      return "The loop goes on as if its worker had said so.";
  }
}

const NOT_DONE: Partial<Record<JobKind, string>> = {
  dispense:
    "Only if no well got anything: the same transfers are ordered again into the same plate. If some did, the plate is lost.",
  move: "The plates stand where they stood: the same moves are ordered again.",
  read: "It is read again.",
};

/** Choices in the order in which they are thought about; only a plate can be lost. */
export function resolutionsOf(
  job: Pick<JobDetail, "kind" | "plate_id">,
  { offered }: Pick<Evidence, "offered">,
): Choice<Resolution>[] {
  const choices: Choice<Resolution>[] = [
    { value: "done", label: "It happened", description: doneWords(job.kind, offered !== null) },
    {
      value: "not_done",
      label: "It did not happen",
      description: NOT_DONE[job.kind] ?? "The same work is ordered again.",
    },
  ];
  if (job.plate_id) {
    choices.push({
      value: "plate_lost",
      label: "The plate is lost",
      description:
        "It is spoilt, or nobody can say what is in it. Its further jobs are cancelled, and its experiments are made again on a new plate with fresh reagents.",
    });
  }
  return choices;
}
