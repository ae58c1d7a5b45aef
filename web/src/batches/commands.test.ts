import { afterEach, describe, expect, test, vi } from "vitest";
import { setCsrfToken } from "../api/client.ts";
import { ProblemError } from "../api/problem.ts";
import { approve, reject, removeAll } from "./commands.ts";

type Sent = { method: string; url: string; headers: Headers; body: unknown };

/** A server that answers in turn, and what it was sent. */
function server(...answers: [number, unknown][]) {
  const sent: Sent[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const text = await request.text();
    sent.push({
      method: request.method,
      url: new URL(request.url).pathname,
      headers: request.headers,
      body: text ? JSON.parse(text) : null,
    });
    const [status, body] = answers[sent.length - 1] ?? [500, {}];
    return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
  });
  return sent;
}

afterEach(() => {
  vi.unstubAllGlobals();
  setCsrfToken(null);
});

const OUTDATED = { code: "request.revision_outdated", detail: "It was changed meanwhile (now revision 9)." };

describe("a reviewer's command", () => {
  test("names the revision that was seen, and proves that it comes from the app", async () => {
    setCsrfToken("proof");
    const sent = server([200, { disposition: "frozen", missing_approvals: 0, batch: {} }]);
    await approve("b1", 7, "  fine  ");
    expect(sent[0]?.url).toBe("/api/v1/batches/b1/approve");
    expect(sent[0]?.headers.get("if-match")).toBe('"7"');
    expect(sent[0]?.headers.get("x-csrf-token")).toBe("proof");
    expect(sent[0]?.headers.get("idempotency-key")).toMatch(/^[0-9a-f-]{36}$/);
    expect(sent[0]?.body).toEqual({ reason: "fine" });
  });

  test("removes one after the other, each about the revision before, and stops where somebody came in between", async () => {
    const sent = server(
      [200, { disposition: "done", revision: 4, replacement: null }],
      [200, { disposition: "done", revision: 5, replacement: null }],
      [412, OUTDATED],
    );
    const removed: [string, number][] = [];
    const all = removeAll("b1", 3, ["p1", "p2", "p3"], "toxic", (id, revision) =>
      removed.push([id, revision]),
    );
    await expect(all).rejects.toBeInstanceOf(ProblemError);
    expect(sent.map((it) => it.headers.get("if-match"))).toEqual(['"3"', '"4"', '"5"']);
    expect(removed).toEqual([
      ["p1", 4],
      ["p2", 5],
    ]);
  });

  test("sends exclusions by gene or tag only where there are some", async () => {
    const sent = server([200, {}], [200, {}]);
    await reject("b1", 1, { reason: "no", exclude: ["A@D1"], exclude_genes: [], exclude_tags: [] });
    await reject("b1", 1, { reason: "no", exclude: [], exclude_genes: ["TP53"] });
    expect(sent[0]?.body).toEqual({ reason: "no", exclude: ["A@D1"] });
    expect(sent[1]?.body).toEqual({ reason: "no", exclude: [], exclude_genes: ["TP53"] });
  });
});
