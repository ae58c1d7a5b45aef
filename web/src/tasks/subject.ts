import type { LinkProps } from "@tanstack/react-router";
import type { Task } from "../api/types.ts";

/** Where a task's subject is looked at and decided. */
export function subjectLink(task: Pick<Task, "subject" | "subject_id" | "campaign_id">): LinkProps | null {
  const id = task.subject_id;
  switch (task.subject) {
    case "job":
      return { to: "/jobs/$jobId", params: { jobId: id } };
    case "plate":
      return { to: "/plates/$plateId", params: { plateId: id } };
    case "batch":
      return { to: "/batches/$batchId", params: { batchId: id } };
    case "instrument":
      return { to: "/instruments/$name", params: { name: id } };
    case "campaign":
      return { to: "/campaigns/$campaignId", params: { campaignId: id } };
    default:
      return task.campaign_id
        ? { to: "/campaigns/$campaignId", params: { campaignId: task.campaign_id } }
        : null;
  }
}

const CAUSES: Record<string, string> = {
  "job.in_doubt": "Job in doubt",
  "job.failed": "Job failed",
  "job.contradiction": "Report contradicts a decision",
  "plate.quarantined": "Plate quarantined",
  "plate.lost_too_often": "Plate lost too often",
  "round.held": "Round held",
  "model.rejected": "Model version not promoted",
  "batch.waiting": "Batch waiting",
  "batch.expiring": "Approval expiring",
  "agent.lost": "Agent silent",
};

/** A cause in words; the code itself where it is new. */
export const causeWords = (cause: string) =>
  CAUSES[cause] ?? cause.replaceAll(".", ": ").replaceAll("_", " ");
