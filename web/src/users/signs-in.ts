import type { User } from "../api/types.ts";

/** How somebody signs in, in a few words. */
export function signsInWords({ signs_in_by, linked }: Pick<User, "signs_in_by" | "linked">): string {
  if (signs_in_by === "password") return "password";
  return linked ? "identity provider" : "identity provider, awaited";
}
