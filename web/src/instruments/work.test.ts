import { expect, test } from "vitest";
import { atOnce, inAll, passed, share } from "./work.ts";

const day = (busy: number) => ({ day: "2026-11-30", succeeded: 1, not_succeeded: 0, busy_seconds: busy });

test("an incubator is full when every slot is", () => {
  expect(atOnce(["incubate.plate"], { slots: ["1", "2", "3", "4"] })).toBe(4);
  expect(atOnce(["read.plate"], { slots: ["1", "2"] })).toBe(1);
  expect(atOnce(["incubate.plate"], null)).toBe(1);
  expect(share(day(43_200), 1, 86_400)).toBe(0.5);
  expect(share(day(86_400), 4, 86_400)).toBe(0.25);
  expect(share(day(90_000), 1, 86_400)).toBe(1);
});

test("of today what has passed is counted, of other days all", () => {
  const noon = new Date(2026, 10, 30, 12);
  expect(passed("2026-11-30", noon)).toBe(12 * 3600);
  expect(passed("2026-11-28", noon)).toBe(24 * 3600);
  expect(passed("2026-12-01", noon)).toBe(0);
  expect(share(day(0), 1, passed("2026-12-01", noon))).toBe(0);
});

test("what ended badly is counted over kinds", () => {
  const kind = { kind: "read" as const, median_seconds: null };
  expect(
    inAll([
      { ...kind, succeeded: 3, not_succeeded: 1 },
      { ...kind, succeeded: 5, not_succeeded: 0 },
    ]),
  ).toEqual({ ended: 9, badly: 1 });
  expect(inAll([])).toEqual({ ended: 0, badly: 0 });
});
