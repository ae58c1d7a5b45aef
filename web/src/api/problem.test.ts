import { describe, expect, test } from "vitest";
import { isOutdated, isTransient, ProblemError, problemOf, readProblem } from "./problem.ts";

const answered = (status: number, body: string, headers: Record<string, string> = {}) =>
  new Response(body, { status, headers });

describe("a problem", () => {
  test("is read with its code, its words and when to come back", async () => {
    const body = JSON.stringify({
      code: "session.throttled",
      detail: "Too many tries.",
      title: "x",
      status: 429,
    });
    const problem = await readProblem(answered(429, body, { "retry-after": "17" }));
    expect(problem).toMatchObject({
      code: "session.throttled",
      detail: "Too many tries.",
      status: 429,
      retryAfter: 17,
    });
  });

  test("of a proxy that speaks HTML is a problem all the same", async () => {
    const problem = await readProblem(answered(502, "<html>Bad Gateway</html>"));
    expect(problem.code).toBe("http.502");
    expect(problem.detail).toMatch(/Try again/);
    expect(isTransient(new ProblemError(problem))).toBe(true);
  });

  test("of a lost network says that nothing typed is lost", () => {
    const problem = problemOf(new TypeError("Failed to fetch"));
    expect(problem.code).toBe("client.unreachable");
    expect(problem.detail).toMatch(/stays/);
  });

  test("of a changed batch is told from others", async () => {
    const outdated = await readProblem(
      answered(412, JSON.stringify({ code: "request.revision_outdated", detail: "It was changed." })),
    );
    expect(isOutdated(new ProblemError(outdated))).toBe(true);
    expect(isTransient(new ProblemError(outdated))).toBe(false);
  });
});
