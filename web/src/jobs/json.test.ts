import { expect, test } from "vitest";
import { isSilent, profileWords } from "../instruments/profile.ts";
import { isEmpty, shapeOf } from "./json.ts";

test("alike records become a table, long lists are cut and say so", () => {
  const transfers = Array.from({ length: 20 }, (_, index) => ({
    index,
    actual_nl: index === 0 ? null : 1000,
  }));
  const shape = shapeOf({ run: "r1", slots: [1, 2], transfers });
  expect(shape.kind).toBe("fields");
  if (shape.kind !== "fields") return;
  expect(shape.fields.map((it) => [it.name, it.shape.kind])).toEqual([
    ["run", "text"],
    ["slots", "text"],
    ["transfers", "table"],
  ]);
  const table = shape.fields[2]?.shape;
  expect(table).toMatchObject({ columns: ["index", "actual_nl"], more: 8 });
  expect(table?.kind === "table" && table.rows[0]).toEqual(["0", "–"]);
});

test("records that hold records stay a list", () => {
  expect(shapeOf([{ a: { b: 1 } }]).kind).toBe("list");
});

test("nothing is nothing", () => {
  expect([null, undefined, {}, []].map(isEmpty)).toEqual([true, true, true, true]);
  expect([0, "", false, { a: 1 }].map(isEmpty)).toEqual([false, false, false, false]);
});

test("a profile is read in words, and an agent that asks for nothing is silent", () => {
  expect(profileWords({ source_slots: ["2", "3"], tips_per_rack: 96, tip: "p20" })).toBe(
    "2 source slots, 96 tips per rack, tip p20",
  );
  expect(profileWords({})).toBe("–");
  const now = new Date("2026-06-01T12:00:00Z");
  const instrument = { name: "ot2", capabilities: [], profile: {}, state: "in_service" as const };
  expect(isSilent({ ...instrument, last_seen_at: "2026-06-01T11:58:00Z" }, now)).toBe(false);
  expect(isSilent({ ...instrument, last_seen_at: "2026-06-01T11:50:00Z" }, now)).toBe(true);
  expect(isSilent({ ...instrument, state: "maintenance", last_seen_at: "2026-06-01T11:00:00Z" }, now)).toBe(
    false,
  );
});
