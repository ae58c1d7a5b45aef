import { expect, test } from "vitest";
import { stepByHand } from "../tests/made.ts";
import { isForHands, readyOf, sectionsOf } from "./sections.ts";

const steps = [
  stepByHand({ id: "a" }),
  stepByHand({ id: "b", state: "running", taken_by_id: "u2" }),
  stepByHand({ id: "c", state: "stopping", taken_by_id: "u1" }),
  stepByHand({ id: "d" }),
  stepByHand({ id: "e", state: "running", taken_by_id: "u1" }),
];

test("what one has begun comes first, then what waits, then what others do", () => {
  const found = sectionsOf(steps, "u1").map(({ whose, steps }) => [whose, steps.map((it) => it.id).join("")]);
  expect(found).toEqual([
    ["mine", "ce"],
    ["nobody", "ad"],
    ["other", "b"],
  ]);
});

test("a section without steps is not there", () => {
  expect(sectionsOf([stepByHand()], "u1").map((it) => it.title)).toEqual(["Waits for somebody"]);
  expect(sectionsOf([], "u1")).toEqual([]);
});

test("only what nobody has taken is counted as waiting", () => {
  expect(readyOf(steps).map((it) => it.id)).toEqual(["a", "d"]);
  expect(readyOf(null)).toEqual([]);
});

test("a job is done by hand while hands can do it", () => {
  expect(isForHands({ queue: "people", state: "ready" })).toBe(true);
  expect(isForHands({ queue: "people", state: "running" })).toBe(true);
  expect(isForHands({ queue: "people", state: "waiting" })).toBe(false);
  expect(isForHands({ queue: "people", state: "in_doubt" })).toBe(false);
  expect(isForHands({ queue: "bench", state: "ready" })).toBe(false);
});
