import { describe, expect, test } from "vitest";
import { asCsv, foundCsv, headFault, headOf, lineOf, rowsIn, SHAPES, type TableKind } from "./tables.ts";

describe("a table", () => {
  test.each(Object.keys(SHAPES) as TableKind[])("of %s is like its own example", (kind) => {
    const csv = `${headOf(SHAPES[kind])}\n${SHAPES[kind].example}\n`;
    expect(headFault(kind, csv)).toBeNull();
    expect(rowsIn(csv)).toBe(2);
    const columns = headOf(SHAPES[kind]).split(",").length;
    for (const line of csv.trim().split("\n")) expect(line.split(",")).toHaveLength(columns);
  });

  test("copied from a spreadsheet has commas afterwards, and quotes where a name has one", () => {
    const pasted = 'barcode\twell\tvolume_nl\tcontent\r\nLIB-1\tA1\t5\tIL2, low\r\nLIB-1\tA2\t5\tso "called"';
    expect(asCsv(pasted)).toBe(
      'barcode,well,volume_nl,content\nLIB-1,A1,5,"IL2, low"\nLIB-1,A2,5,"so ""called"""',
    );
  });

  test("saved with semicolons is read, its quoted cells too", () => {
    expect(asCsv('\uFEFFbarcode;labware;context\nA;"x";"d;1"')).toBe("barcode,labware,context\nA,x,d;1");
  });

  test("with commas stays as it is, whatever stands in its cells", () => {
    const csv = 'barcode,labware,context\nA,x,"d;1,\t2"\n';
    expect(asCsv(csv)).toBe(csv);
  });

  test("says which columns are not there", () => {
    expect(headFault("library", "barcode, labware ,well\nx")).toBe(
      "In the first line is no content, no volume_nl.",
    );
    expect(headFault("volumes", "LIB-1,A1,5")).toBe("The first line names the columns.");
    expect(headFault("volumes", '"barcode","well","volume_nl"')).toBeNull();
    expect(headFault("assay", "")).toBe("The first line names the columns.");
  });

  test("is counted without its head and without empty lines, and shows any line", () => {
    const csv = "barcode,well,volume_nl\nLIB-1,A1,5\n\nLIB-1,A2,6\n";
    expect(rowsIn(csv)).toBe(2);
    expect(rowsIn("")).toBe(0);
    expect(lineOf(csv, 2)).toBe("LIB-1,A1,5");
    expect(lineOf(csv, 9)).toBeUndefined();
  });

  test("of what was found names plate, well and nanolitres", () => {
    const csv = foundCsv("LIB-1", [
      { well: "A1", nl: 48_000 },
      { well: "P24", nl: 0 },
    ]);
    expect(csv).toBe("barcode,well,volume_nl\nLIB-1,A1,48000\nLIB-1,P24,0\n");
    expect(headFault("volumes", csv)).toBeNull();
  });
});
