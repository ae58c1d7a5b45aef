import { expect, test } from "vitest";
import { attemptWords, briefly, doneWords, placeWords, roundWords } from "./words.ts";

test("a place is a device and a slot, or said to be unknown", () => {
  expect(placeWords({ at: { device: "handler-1", slot: "4" } })).toBe("handler-1, slot 4");
  expect(placeWords({ at: null })).toBe("nobody knows where it stands");
});

test("a step of no campaign or round says so by saying less", () => {
  expect(roundWords({ campaign: "demo", round: 2 })).toBe("demo, round 2");
  expect(roundWords({ campaign: "demo", round: null })).toBe("demo");
  expect(roundWords({ campaign: null, round: null })).toBe("");
});

test("the first time is not told", () => {
  expect([0, 1, 3].map(attemptWords)).toEqual(["", "taken before, once", "taken before, 3 times"]);
});

test.each([
  ["Seal the plate.", "Seal the plate"],
  ["Spin\n at 300 g", "Spin at 300 g"],
  [
    "Seal the plate with a breathable foil, press it on with the roller.",
    "Seal the plate with a breathable foil, press it on with the…",
  ],
  ["x".repeat(500), `${"x".repeat(60)}…`],
])("an instruction begins a sentence: %#", (instruction, brief) => {
  expect(briefly(instruction)).toBe(brief);
});

test("a step that is given back says whether it waits again", () => {
  expect(doneWords({ kind: "give-back", attempt: 0 }, { state: "ready" })).toMatch(
    /waits for somebody again/,
  );
  expect(doneWords({ kind: "give-back", attempt: 0 }, { state: "cancelled" })).toMatch(/It is cancelled/);
});
