import { expect, test } from "vitest";
import { nextSorting, sorted } from "./sorting.ts";
import { rowWindow } from "./window.ts";

const rows = [
  { name: "G10", mean: 2 },
  { name: "G9", mean: null },
  { name: "g2", mean: -1 },
];

test("names with numbers are sorted as people count, and absent values come last both ways", () => {
  expect(sorted(rows, (it) => it.name, false).map((it) => it.name)).toEqual(["g2", "G9", "G10"]);
  expect(sorted(rows, (it) => it.mean, false).map((it) => it.mean)).toEqual([-1, 2, null]);
  expect(sorted(rows, (it) => it.mean, true).map((it) => it.mean)).toEqual([2, -1, null]);
  expect(sorted(rows, undefined, true)).toEqual(rows);
});

test("a head is clicked to its first way, the other way, and back to the list's own order", () => {
  const first = nextSorting(null, "mean", true);
  expect(first).toEqual({ key: "mean", descending: true });
  const second = nextSorting(first, "mean", true);
  expect(second).toEqual({ key: "mean", descending: false });
  expect(nextSorting(second, "mean", true)).toBeNull();
  expect(nextSorting(second, "name", false)).toEqual({ key: "name", descending: false });
});

test("a long table renders what is in view, and keeps the height of all of it", () => {
  const view = rowWindow(5000, 36, 36 * 1000, 720);
  expect(view.first).toBe(980);
  expect(view.last).toBe(1040);
  expect(view.before + (view.last - view.first) * 36 + view.after).toBe(5000 * 36);
  expect(rowWindow(5000, 36, 36 * 5000, 720).last).toBe(5000);
  expect(rowWindow(96, 36, 0, 720)).toEqual({ first: 0, last: 96, before: 0, after: 0 });
});
