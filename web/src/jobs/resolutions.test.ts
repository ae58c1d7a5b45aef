import { expect, test } from "vitest";
import { resolutionsOf } from "./resolutions.ts";

const offered = { by: "demo-handler-1", at: "2026-01-05T08:00:00Z" };
const happened = (kind: "dispense" | "read", report: typeof offered | null) =>
  resolutionsOf({ kind, plate_id: "p1" }, { offered: report })[0]?.description;

test("only what has a plate can lose one", () => {
  const values = (plate_id: string | null) =>
    resolutionsOf({ kind: "manual", plate_id }, { offered: null }).map((it) => it.value);
  expect(values("p1")).toEqual(["done", "not_done", "plate_lost"]);
  expect(values(null)).toEqual(["done", "not_done"]);
});

test("what happened is taken as reported where somebody reported, else as ordered", () => {
  expect(happened("dispense", offered)).toMatch(/volumes that its agent reported/);
  expect(happened("dispense", null)).toMatch(/as ordered.*no measured volume/);
  expect(happened("read", null)).toMatch(/quarantine without readings/);
});
