import { expect, test } from "vitest";
import type { Supply } from "../api/types.ts";
import { amount, barOf, barWords, inOrder, isShort, supplyId } from "./supplies.ts";

const supply = (name: string, over: Partial<Supply> = {}): Supply => ({
  kind: "reagent",
  name,
  labware: null,
  there: 100,
  wanted: 50,
  rounds: 1,
  short_lab_at: null,
  short_for: null,
  ...over,
});

test("what runs out comes first, the soonest at the top, then what little will be left of", () => {
  const late = supply("late", { wanted: 200, short_lab_at: "2026-03-09T08:00:00Z" });
  const soon = supply("soon", { wanted: 101, short_lab_at: "2026-03-02T08:00:00Z" });
  const tight = supply("tight", { wanted: 99 });
  const same = supply("also", { wanted: 99 });
  const plenty = supply("plenty");
  expect(inOrder([plenty, tight, late, same, soon])).toEqual([soon, late, same, tight, plenty]);
  expect([late, plenty].map(isShort)).toEqual([true, false]);
});

test("a bar is as wide as whatever is more", () => {
  expect(barOf({ wanted: 25, there: 100 })).toEqual({ taken: 0.25, missing: 0 });
  expect(barOf({ wanted: 4, there: 1 })).toEqual({ taken: 0.25, missing: 0.75 });
  expect(barOf({ wanted: 3, there: 0 })).toEqual({ taken: 0, missing: 1 });
  expect(barOf({ wanted: 0, there: 0 })).toEqual({ taken: 0, missing: 0 });
});

test("plates are counted, reagents measured", () => {
  const plates = supply("donor-1", { kind: "blank_plates", labware: "x", wanted: 3, there: 1 });
  expect(barWords(plates)).toBe("3 plates wanted, 1 plate there");
  expect(amount(supply("NEG"), 12_500)).toBe("12.5 µL");
  expect(supplyId(plates)).not.toBe(supplyId({ ...plates, labware: "y" }));
});
