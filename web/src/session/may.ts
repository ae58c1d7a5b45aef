import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { sessionQuery } from "../api/queries.ts";
import type { Scope, Session } from "../api/types.ts";

/** Whoever is signed in; only below the routes that ask for it. */
export const useSession = (): Session => useSuspenseQuery(sessionQuery).data;

/** Whether the session's roles open what a button does. The server decides; this only saves a click. */
export function useMay(...anyOf: Scope[]): boolean {
  const { data } = useQuery(sessionQuery);
  return may(data, ...anyOf);
}

export const may = (session: Session | undefined, ...anyOf: Scope[]) =>
  anyOf.some((scope) => session?.scopes.includes(scope));

/** Which role would do, in words, for buttons that are not there for one. */
export const ROLE_FOR: Partial<Record<Scope, string>> = {
  "batch:edit": "scientist or engineer",
  "batch:approve": "scientist or engineer",
  "plate:decide": "operator, scientist or engineer",
  "work:people": "operator, scientist or engineer",
  "job:resolve": "operator or engineer",
  "instrument:write": "engineer",
  "campaign:write": "engineer",
  "inventory:write": "operator or engineer",
  admin: "admin",
};
