import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { sessionQuery } from "../api/queries.ts";
import type { Role, Scope, Session } from "../api/types.ts";

/** Whoever is signed in; only below the routes that ask for it. */
export const useSession = (): Session => useSuspenseQuery(sessionQuery).data;

/** Whether the session's roles open what a button does. The server decides; this only saves a click. */
export function useMay(...anyOf: Scope[]): boolean {
  const { data } = useQuery(sessionQuery);
  return may(data, ...anyOf);
}

export const may = (session: Session | undefined, ...anyOf: Scope[]) =>
  anyOf.some((scope) => session?.scopes.includes(scope));

/** The same for doors of the whole installation: a role in some projects only does not open them. */
export function useMayEverywhere(...anyOf: Scope[]): boolean {
  const { data } = useQuery(sessionQuery);
  return mayEverywhere(data, ...anyOf);
}

export const mayEverywhere = (session: Session | undefined, ...anyOf: Scope[]) =>
  anyOf.some(
    (scope) =>
      may(session, scope) &&
      session?.grants.some((grant) => grant.project_id == null && SCOPES_OF[grant.role]?.includes(scope)),
  );

const ENGINEER: Scope[] = [
  "read",
  "campaign:write",
  "batch:edit",
  "batch:approve",
  "plate:decide",
  "job:resolve",
  "inventory:write",
  "instrument:write",
  "work:people",
];

/** What each role opens, as the server has it (`people::role`): it tells only what all of them open somewhere. */
export const SCOPES_OF: Record<Role, Scope[]> = {
  viewer: ["read"],
  operator: ["read", "work:people", "job:resolve", "inventory:write", "plate:decide"],
  scientist: ["read", "batch:edit", "batch:approve", "plate:decide", "work:people"],
  engineer: ENGINEER,
  admin: [...ENGINEER, "admin"],
};

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
