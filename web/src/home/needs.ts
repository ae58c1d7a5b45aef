// What needs a person now, in the order in which it should be looked at. Pure.

import type { LinkProps } from "@tanstack/react-router";
import type { Batch, CampaignProgress, Job, PlateLine, Task } from "../api/types.ts";
import { barcodesOf } from "../by-hand/scanning.ts";
import { readyOf } from "../by-hand/sections.ts";
import type { ByHand } from "../by-hand/types.ts";
import { briefly, roundWords } from "../by-hand/words.ts";
import { plural, title } from "../display/format.ts";
import { causeWords, subjectLink } from "../tasks/subject.ts";

export type Need = {
  key: string;
  kind: "doubt" | "plate" | "held" | "batch" | "hand" | "task";
  title: string;
  detail: string;
  /** Real time since which it waits; laboratory time until which it may. */
  since: string | null;
  until?: string | null;
  link: LinkProps | null;
  action: string;
};

type Found = {
  batches: Batch[];
  doubts: Job[];
  plates: PlateLine[];
  campaigns: CampaignProgress[];
  /** For whoever may do them. */
  hands: ByHand[];
  tasks: Task[];
};

export function needs({ batches, doubts, plates, campaigns, hands, tasks }: Found): Need[] {
  const shown = new Set<string>();
  const list: Need[] = [];
  const push = (subject: string, need: Need) => {
    shown.add(subject);
    list.push(need);
  };
  for (const job of doubts) {
    push(job.id, {
      key: job.id,
      kind: "doubt",
      title: `${title(job.kind)} on ${job.instrument ?? job.queue} is in doubt`,
      detail: "Begun, and nobody knows how it ended. Nothing that depends on it moves until you have looked.",
      since: job.created_at,
      link: { to: "/jobs/$jobId", params: { jobId: job.id } },
      action: "Look",
    });
  }
  for (const plate of plates) {
    push(plate.id, {
      key: plate.id,
      kind: "plate",
      title: `Plate ${plate.barcode} ${plate.state === "lost" ? "was lost" : "failed QC"}`,
      detail: plate.reason ?? "It trains nothing until somebody decides.",
      since: plate.created_at,
      link: { to: "/plates/$plateId", params: { plateId: plate.id } },
      action: "Decide",
    });
  }
  for (const campaign of campaigns) {
    for (const round of campaign.rounds.filter((it) => it.state === "held")) {
      push(round.round_id, {
        key: round.round_id,
        kind: "held",
        title: `Round ${round.number} is held: ${campaign.name}`,
        detail: round.reason ?? "It stands still until somebody resumes it.",
        since: null,
        link: { to: "/campaigns/$campaignId", params: { campaignId: campaign.campaign_id } },
        action: "See why",
      });
    }
  }
  for (const batch of batches) {
    // Nobody can approve it before somebody resumes its round, which is shown already.
    if (shown.has(batch.round_id)) continue;
    push(batch.id, {
      key: batch.id,
      kind: "batch",
      title: `A batch waits for approval: ${batch.campaign}, round ${batch.round}`,
      detail: batchWords(batch),
      since: batch.created_at,
      until: batch.approval.expires_lab_at,
      link: { to: "/batches/$batchId", params: { batchId: batch.id } },
      action: "Review",
    });
  }
  const ready = readyOf(hands);
  for (const step of ready) shown.add(step.id);
  list.push(...handNeeds(ready));
  for (const task of tasks) {
    if (shown.has(task.subject_id)) continue;
    list.push({
      key: task.id,
      kind: "task",
      title: causeWords(task.cause),
      detail: task.message,
      since: task.opened_at,
      link: subjectLink(task) ?? { to: "/tasks" },
      action: "Look",
    });
  }
  return list;
}

/** More steps than this are one thing to look at. */
const STEPS_SHOWN = 3;

function handNeeds(steps: readonly ByHand[]): Need[] {
  const first = steps[0];
  if (first && steps.length > STEPS_SHOWN) {
    return [
      {
        key: "by-hand",
        kind: "hand",
        title: `${plural(steps.length, "step")} wait for hands`,
        detail: `${briefly(first.instruction)} waits longest: ${subjectWords(first)}`,
        since: first.since,
        link: { to: "/by-hand" },
        action: "Do them",
      },
    ];
  }
  return steps.map((step) => ({
    key: step.id,
    kind: "hand",
    title: `${briefly(step.instruction)} waits for hands`,
    detail: subjectWords(step),
    since: step.since,
    until: step.deadline_lab_at,
    link: { to: "/by-hand" },
    action: "Do it",
  }));
}

const subjectWords = (step: ByHand) =>
  [barcodesOf(step.plates), roundWords(step)].filter(Boolean).join(" · ");

function batchWords(batch: Batch): string {
  const parts = [plural(batch.selected, "experiment")];
  if (batch.draft?.plan === "possible") parts.push(`on ${plural(batch.draft.summary.plates, "plate")}`);
  if (batch.draft?.plan === "impossible") parts.push(`cannot be carried out: ${batch.draft.reason}`);
  const { given, needed, may_approve: may, why_not: whyNot } = batch.approval;
  if (needed > 1) parts.push(`${given} of ${plural(needed, "approval")} given`);
  if (!may && whyNot) parts.push(whyNot);
  return `${parts.join(" · ")}`;
}
