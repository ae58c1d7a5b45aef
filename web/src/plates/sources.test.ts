import { expect, test } from "vitest";
import { plate } from "../tests/made.ts";
import { sourcesOf } from "./sources.ts";

test("a plate's sources are named once each, the one that gives most at first", () => {
  const from = (source_barcode: string) => ({
    source_barcode,
    source_well: "A1",
    destination_well: "B2",
    intended_nl: 100,
    actual_nl: null,
    error: null,
  });
  const drawing = plate({ transfers: ["LIB-2", "LIB-3", "LIB-3", "LIB-1"].map(from) });
  expect(sourcesOf(drawing)).toEqual([
    { barcode: "LIB-3", transfers: 2 },
    { barcode: "LIB-1", transfers: 1 },
    { barcode: "LIB-2", transfers: 1 },
  ]);
  expect(sourcesOf(plate())).toEqual([]);
});
