import type { Token } from "../api/types.ts";

export function tokenState(
  token: Pick<Token, "revoked_at" | "expires_at">,
  now: Date,
): "active" | "expired" | "revoked" {
  if (token.revoked_at) return "revoked";
  return Date.parse(token.expires_at) <= now.getTime() ? "expired" : "active";
}

/** What may be asked for, in the order of the loop, in words. */
export const SCOPE_WORDS: Record<string, string> = {
  read: "read everything",
  "campaign:write": "create and steer campaigns",
  "batch:edit": "edit batches",
  "batch:approve": "approve and reject batches",
  "plate:decide": "decide on plates",
  "job:resolve": "settle jobs in doubt",
  "inventory:write": "import plates and reagents",
  "instrument:write": "register instruments",
  "work:people": "take work for people",
  "work:bench": "work as an agent beside a device",
  "work:learn": "work as a learner",
  metrics: "read metrics, for Prometheus",
  admin: "administer users and tokens",
};
