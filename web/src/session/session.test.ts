import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Session } from "../api/types.ts";
import { offeredScopes } from "../tokens/NewToken.tsx";
import { tokenState } from "../tokens/state.ts";
import { asSent, grantWords } from "../users/grants.ts";
import { signsInWords } from "../users/signs-in.ts";
import { may, mayEverywhere, SCOPES_OF } from "./may.ts";
import { passwordFault } from "./PasswordForm.tsx";
import { safeReturn } from "./sign-in.ts";
import { KNOWN_REFUSALS, refusalOf } from "./sign-on.ts";

const SERVER = join(import.meta.dirname, "../../../orchestrator/src");
/** `BatchEdit` as it is sent: `batch:edit`. */
const spelt = (scope: string) => scope.replace(/(?<=.)([A-Z])/, ":$1").toLowerCase();

describe("a session", () => {
  test.each([
    ["/batches/1?a=b", "/batches/1?a=b"],
    ["//evil.example/x", "/"],
    ["/\\evil.example", "/"],
    ["https://evil.example", "/"],
    ["/sign-in?from=%2F", "/"],
    [undefined, "/"],
  ])("asked to return to %j goes to %s", (from, to) => expect(safeReturn(from)).toBe(to));

  test("opens what its scopes open", () => {
    const session = { scopes: ["read", "batch:edit"] } as Session;
    expect(may(session, "batch:edit")).toBe(true);
    expect(may(session, "batch:approve", "read")).toBe(true);
    expect(may(session, "admin")).toBe(false);
    expect(may(undefined, "read")).toBe(false);
  });

  test("opens a door of the whole installation with a role everywhere only", () => {
    const scopes = ["read", "job:resolve", "batch:approve"];
    const grants = [
      { project_id: "p", role: "operator" },
      { project_id: null, role: "scientist" },
    ];
    const session = { scopes, grants } as Session;
    expect(may(session, "job:resolve")).toBe(true);
    expect(mayEverywhere(session, "job:resolve")).toBe(false);
    expect(mayEverywhere(session, "job:resolve", "batch:approve")).toBe(true);
    expect(mayEverywhere({ ...session, scopes: ["read"] }, "batch:approve")).toBe(false);
    expect(mayEverywhere(undefined, "read")).toBe(false);
  });

  test("knows what each role opens as the server does", () => {
    const source = readFileSync(`${SERVER}/people/role.rs`, "utf8");
    const table = source.slice(source.indexOf("pub fn scopes"), source.indexOf("impl std::fmt::Display"));
    const found = [...table.matchAll(/Role::(\w+) => (?:\{\s*)?&\[([^\]]+)\]/g)].map(([, role, scopes]) => [
      role?.toLowerCase(),
      [...(scopes ?? "").matchAll(/Scope::(\w+)/g)].map(([, scope]) => spelt(scope ?? "")),
    ]);
    expect(Object.fromEntries(found)).toEqual(SCOPES_OF);
  });

  test("takes a new password that is long, new and typed twice alike", () => {
    expect(passwordFault("short", "short", "old")).toMatch(/12 characters/);
    expect(passwordFault("correct horse", "correct horse", "correct horse")).toMatch(/now/);
    expect(passwordFault("correct horse", "correct house", "old")).toMatch(/not the same/);
    expect(passwordFault("correct horse", "correct horse", "old")).toBeNull();
  });
});

test("a token is offered no more than its maker may", () => {
  expect(offeredScopes("person", ["batch:edit", "read"])).toEqual(["read", "batch:edit"]);
  expect(offeredScopes("agent", ["admin", "read"])).toEqual(["work:bench"]);
});

test("a token is active until it is revoked or its time is over", () => {
  const now = new Date("2026-06-01T00:00:00Z");
  expect(tokenState({ expires_at: "2026-07-01T00:00:00Z" }, now)).toBe("active");
  expect(tokenState({ expires_at: "2026-05-01T00:00:00Z" }, now)).toBe("expired");
  expect(tokenState({ expires_at: "2026-07-01T00:00:00Z", revoked_at: "2026-05-01T00:00:00Z" }, now)).toBe(
    "revoked",
  );
});

test("grants are said in words, and sent once each", () => {
  const grants = [
    { project_id: "p", project: "IFNG", role: "scientist" as const },
    { project_id: "p", project: "IFNG", role: "scientist" as const },
    { project_id: null, role: "viewer" as const },
  ];
  expect(grantWords(grants.slice(1))).toBe("scientist on IFNG, viewer everywhere");
  expect(grantWords([])).toBe("no role yet");
  expect(asSent(grants)).toEqual([
    { project_id: "p", role: "scientist" },
    { project_id: null, role: "viewer" },
  ]);
});

test("every refusal of a sign-on has words of its own, and a made-up code is not shown", () => {
  expect(new Set(KNOWN_REFUSALS.map((code) => refusalOf(code).what)).size).toBe(KNOWN_REFUSALS.length);
  for (const code of KNOWN_REFUSALS) expect(refusalOf(code).code).toBe(code);
  expect(refusalOf("store.unavailable")).toMatchObject({
    code: "store.unavailable",
    what: "You are not signed in",
  });
  expect(refusalOf("call 555-0100 at once").code).toBe("sign_on.unknown");
  expect(refusalOf("constructor").what).toBe("You are not signed in");
});

test("how somebody signs in is said in words", () => {
  expect(signsInWords({ signs_in_by: "password", linked: false })).toBe("password");
  expect(signsInWords({ signs_in_by: "provider", linked: false })).toBe("identity provider, awaited");
  expect(signsInWords({ signs_in_by: "provider", linked: true })).toBe("identity provider");
});
