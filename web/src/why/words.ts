// Whose turn it is, and where to look. Pure.

import type { LinkProps } from "@tanstack/react-router";
import { title, words } from "../display/format.ts";
import type { Owner, Reason, Standstill } from "./types.ts";

const OWNERS: Record<Owner, string> = {
  approvers: "people who approve",
  operator: "whoever is at the bench",
  engineer: "whoever runs the installation",
  agent: "the agent beside the device",
  learner: "the learner",
  engine: "the service itself",
  calendar: "time",
};

export const ownerWords = (owner: Owner): string => OWNERS[owner] ?? words(owner);

/** Whether a person has to do something about it. */
export const isForPeople = ({ owner }: Pick<Reason, "owner">) =>
  owner === "approvers" || owner === "operator" || owner === "engineer";

/** As a sentence: the server's words begin small and end without a stop. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  const first = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

export function standstillTitle({ subject, state, id }: Standstill): string {
  if (subject === "instrument") return `${id}: ${words(state)} for too long`;
  return `${title(subject)} stands still: ${words(state)} for too long`;
}

/** Where its subject stands. */
export function standstillLink({ subject, id, campaign_id: campaign }: Standstill): LinkProps | null {
  switch (subject) {
    case "job":
      return { to: "/jobs/$jobId", params: { jobId: id } };
    case "batch":
      return { to: "/batches/$batchId", params: { batchId: id } };
    case "campaign":
      return { to: "/campaigns/$campaignId", params: { campaignId: id } };
    case "instrument":
      return { to: "/instruments/$name", params: { name: id } };
    default:
      return campaign ? { to: "/campaigns/$campaignId", params: { campaignId: campaign } } : null;
  }
}

/** What nobody is told of elsewhere on the page. */
export const untold = (all: readonly Standstill[]) => all.filter((it) => !it.told_otherwise);
