import { expect, test } from "vitest";
import { barcodeOf, countedWells, countedWords, fromWords, importedWords, placeWords } from "./words.ts";

test.each([
  ["storage/LIB-1", "available", "in storage"],
  ["handler-1/4", "reserved", "handler-1, slot 4"],
  ["hotel/rack/7", "available", "hotel, slot rack/7"],
  [null, "withdrawn", "taken out"],
  [null, "available", "not known"],
])("a plate at %j that is %s stands %s", (at, state, text) => expect(placeWords({ at, state })).toBe(text));

test("an import says what came in and what was known", () => {
  expect(importedWords({ plates: 2, wells: 96, known: 0 })).toBe(
    "2 plates registered with 96 wells, standing in storage.",
  );
  expect(importedWords({ plates: 1, wells: 0, known: 3 })).toBe(
    "1 plate registered, standing in storage. 3 were known already and stay as they are.",
  );
  expect(importedWords({ plates: 0, wells: 0, known: 1 })).toBe(
    "Nothing new: 1 plate of the table was known already and stays as it is.",
  );
  expect(importedWords({ plates: 0, wells: 0, known: 0 })).toBe("The table has no plate in it.");
});

test("a count says what is another now", () => {
  expect(countedWords({ plates: 1, changed: 2, added: 1, as_known: 40 })).toBe(
    "Counted on 1 plate: 2 wells changed, 1 well new, 40 wells as the books said.",
  );
});

test("what was written down of a change is read with care", () => {
  const well = { well: "A1", content: "CBLB", before_nl: null, after_nl: 5 };
  expect(countedWells({ wells: [well, { well: "A2" }, null] })).toEqual([well]);
  expect(countedWells(null)).toEqual([]);
  expect(fromWords({ from: { device: "handler-1", slot: "4" } })).toBe("handler-1, slot 4");
  expect(fromWords({ from: { device: "storage", slot: "LIB-1" } })).toBe("storage");
  expect(fromWords({ from: null })).toBeNull();
});

test("an event leads to its plate, that of a whole table to none", () => {
  const event = { kind: "StockCounted", subject: "inventory", subject_id: "LIB-1" };
  expect(barcodeOf(event)).toBe("LIB-1");
  expect(barcodeOf({ ...event, kind: "LibraryRegistered" })).toBeNull();
  expect(barcodeOf({ ...event, subject: "plate" })).toBeNull();
});
