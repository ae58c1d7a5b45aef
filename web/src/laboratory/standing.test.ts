import { expect, test } from "vitest";
import { afterWords, patienceMs, saidOf, summaryOf } from "./standing.ts";
import type { Laboratory, Place } from "./types.ts";

const STOP = { id: "s1", reason: "smoke", ordered_by: "ada", ordered_at: "2026-01-05T08:00:00Z" };
const lab = (places: Place[]): Laboratory => ({
  stop: STOP,
  places,
  not_confirmed: places.filter((it) => !it.standing).map((it) => it.place),
});

test("an agent that has not confirmed is named first, whatever the others do", () => {
  const laboratory = lab([{ place: "handler-1", standing: "stopping" }, { place: "reader-1" }]);
  expect(summaryOf(laboratory)).toBe("reader-1 has not confirmed: look at it yourself.");
  expect(summaryOf(lab([{ place: "a" }, { place: "b" }]))).toBe(
    "a, b have not confirmed: look at them yourself.",
  );
});

test("confirmed is not yet stopped", () => {
  const on = lab([
    { place: "handler-1", standing: "stopping" },
    { place: "reader-1", standing: "idle" },
  ]);
  expect(summaryOf(on)).toBe("All have confirmed; 1 agent still on the way to a safe point.");
  expect(summaryOf(lab([{ place: "reader-1", standing: "stopped" }]))).toMatch(
    /^All have confirmed: nothing/,
  );
});

test("each place speaks in its agent's own words where it has any", () => {
  expect(saidOf({ place: "a", standing: "stopping", says: "transfer 12 of 40" })).toEqual({
    tone: "busy",
    words: "transfer 12 of 40",
  });
  expect(saidOf({ place: "a" })).toEqual({ tone: "bad", words: "has not confirmed" });
  expect(afterWords({ place: "a", standing: "idle", after_ms: 420 })).toBe("after 420 ms");
  expect(afterWords({ place: "a" })).toBeNull();
});

test("confirmations are asked for fast, a server without the door is not asked again", () => {
  expect(patienceMs(null)).toBe(false);
  expect(patienceMs({ places: [], not_confirmed: [] })).toBe(15_000);
  expect(patienceMs(lab([{ place: "a" }]))).toBe(1_000);
  expect(patienceMs(lab([{ place: "a", standing: "idle" }]))).toBe(5_000);
});
