import type { Campaign } from "../api/types.ts";
import { count, money, plural } from "../display/format.ts";

type Policy = NonNullable<Campaign["spec"]["policy"]>;

/** What the campaign asks for before a batch goes to the robots, one sentence each. */
export function policyWords(policy: Policy, currency: string): string[] {
  const lines: string[] = [];
  const needed = policy.approvals ?? 1;
  const roles = Object.entries(policy.roles ?? {}).filter(([, n]) => n > 0);
  const among = roles.length > 0 ? `, among them ${roles.map(([role, n]) => `${n} ${role}`).join(", ")}` : "";
  const people = `${needed === 1 ? "One person approves" : `${needed} different people approve`}${among}.`;
  if (policy.auto_approve) {
    const limit = policy.auto_approve_limit;
    const bounds = [
      limit?.experiments == null ? null : plural(limit.experiments, "experiment"),
      limit?.plates == null ? null : plural(limit.plates, "plate"),
      limit?.cost == null ? null : money(limit.cost, currency),
    ].filter((it) => it !== null);
    if (bounds.length === 0) return ["Approved without people."];
    lines.push(`Approved without people up to ${bounds.join(", ")}; beyond it:`);
  }
  lines.push(people);
  if (!policy.self_approval) lines.push("Whoever edits a batch cannot be its only approver.");
  if (policy.expires_hours != null) {
    lines.push(
      `It waits ${count(policy.expires_hours)} h of laboratory time, then it must be looked at anew.`,
    );
  }
  return lines;
}
