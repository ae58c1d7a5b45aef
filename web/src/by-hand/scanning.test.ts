import { expect, test } from "vitest";
import { barcodesOf, NOTHING_SCANNED, type Scan, scanned, scanWords, wrongWords } from "./scanning.ts";

const plates = [{ barcode: "P-1" }, { barcode: "P-3" }];
const after = (...typed: string[]): Scan =>
  typed.reduce((now, barcode) => scanned(now, barcode, plates), NOTHING_SCANNED);

test("a plate of the step is ticked once, however often it is scanned", () => {
  expect(after("P-1", " P-1 \n", "P-3")).toEqual({ ticked: ["P-1", "P-3"], wrong: null });
});

test("another plate is told at once, unticks nothing, and is forgotten with the next right one", () => {
  expect(after("P-1", "P-2")).toEqual({ ticked: ["P-1"], wrong: "P-2" });
  expect(after("P-1", "P-2", "P-3")).toEqual({ ticked: ["P-1", "P-3"], wrong: null });
});

test("an Enter in the empty field says nothing", () => {
  expect(after("P-2", "  ")).toEqual(after("P-2"));
});

test("barcodes are compared to the letter", () => {
  expect(after("p-1").wrong).toBe("p-1");
});

test("it says for which plate the step is", () => {
  expect(wrongWords("P-2", [{ barcode: "P-1" }])).toBe("P-2 is not a plate of this step: it is for P-1.");
  expect(barcodesOf(["A", "B", "C"].map((barcode) => ({ barcode })))).toBe("A, B and C");
  expect(barcodesOf(["A", "B", "C", "D"].map((barcode) => ({ barcode })))).toBe("A, B and 2 more");
  expect(barcodesOf([])).toBe("");
});

test.each([
  [[], "not scanned", "waits"],
  [["P-1"], "1 of 2 scanned", "waits"],
  [["P-1", "P-3"], "all 2 scanned", "good"],
  [["P-1", "P-2"], "last scan: another plate", "bad"],
] as const)("after %j it says: %s", (typed, words, tone) => {
  expect(scanWords(after(...typed), plates)).toEqual({ words, tone });
});

test("where there is no plate nothing is said of scanning", () => {
  expect(scanWords(NOTHING_SCANNED, [])).toBeNull();
});
