import { expect, test } from "vitest";
import { volumeMap, wellsWith, wellWords } from "./wells.ts";

const well = (name: string, content: string, volume_nl: number, reserved_nl = 0) => ({
  well: name,
  content,
  volume_nl,
  reserved_nl,
});
const WELLS = [
  well("A1", "CBLB", 50_000, 2_000),
  well("A2", "CD5", 6_000),
  well("A10", "SOCS1", 20_000, 15_000),
  well("B1", "NEG", 0),
];

test("a well says what it holds, and what may still be drawn", () => {
  expect(WELLS.map((it) => wellWords(it, 6_000))).toEqual([
    "A1: CBLB · 50 µL · 2 µL reserved · 42 µL drawable",
    "A2: CD5 · 6 µL · not drawable",
    "A10: SOCS1 · 20 µL · 15 µL reserved · not drawable",
    "B1: NEG · 0 µL · not drawable",
  ]);
  expect(wellWords(WELLS[0] ?? well("A1", "", 0), null)).toBe("A1: CBLB · 50 µL · 2 µL reserved");
});

test("the map is coloured up to the fullest well, and marks what is not drawable", () => {
  const { wells, scale } = volumeMap(WELLS, 6_000);
  expect([scale.low, scale.high]).toEqual([0, 50]);
  expect(wells.map((it) => it.mark)).toEqual([undefined, "wrong", "wrong", "wrong"]);
  expect(wells[0]?.fill).toBe(scale.colour(50));
  expect(wells[3]?.fill).toBeUndefined();
  expect(volumeMap([], 6_000).wells).toEqual([]);
});

test("wells are found by their name as a whole, and by a part of what they hold", () => {
  const names = (typed: string) => wellsWith(WELLS, typed).map((it) => it.well);
  expect(names("a1")).toEqual(["A1"]);
  expect(names("c")).toEqual(["A1", "A2", "A10"]);
  expect(names(" ")).toHaveLength(4);
});
