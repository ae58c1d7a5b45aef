import type { Grant } from "../api/types.ts";

/** `scientist on IFNG, viewer everywhere`. */
export function grantWords(grants: readonly Grant[]): string {
  if (grants.length === 0) return "no role yet";
  return grants
    .map(
      (grant) =>
        `${grant.role} ${grant.project_id === null ? "everywhere" : `on ${grant.project ?? "a project"}`}`,
    )
    .join(", ");
}

/** The same grant twice is one. */
export function withoutRepeats(grants: readonly Grant[]): Grant[] {
  const seen = new Map(grants.map((grant) => [`${grant.project_id ?? ""}:${grant.role}`, grant]));
  return [...seen.values()];
}

/** What is sent: without the project's name, which is only for people. */
export const asSent = (grants: readonly Grant[]) =>
  withoutRepeats(grants).map(({ project_id, role }) => ({ project_id, role }));

export const ROLE_WORDS: Record<Grant["role"], string> = {
  viewer: "reads",
  operator: "works at the bench: tasks, jobs in doubt, plates, inventory",
  scientist: "edits and approves batches, decides on plates",
  engineer: "also creates campaigns and registers instruments",
  admin: "everything, also users and tokens",
};
