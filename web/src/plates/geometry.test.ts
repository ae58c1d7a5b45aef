import { describe, expect, test } from "vitest";
import { formatOf, parseWell, rowName, step, wellName } from "./geometry.ts";

describe("a plate's geometry", () => {
  test.each([
    ["A1", 0, 0],
    ["H12", 7, 11],
    ["P24", 15, 23],
    ["AF48", 31, 47],
  ])("%s is row %i, column %i, and back", (well, row, column) => {
    expect(parseWell(well)).toEqual({ row, column });
    expect(wellName({ row, column })).toBe(well);
  });

  test.each(["", "A0", "A01", "1A", "a1", "AAA1", "A100"])("%j is no well", (well) => {
    expect(parseWell(well)).toBeNull();
  });

  test("rows beyond Z have two letters", () => {
    expect([25, 26, 31].map(rowName)).toEqual(["Z", "AA", "AF"]);
  });

  test.each([
    ["corning_384_wellplate_112ul_flat", [], 16, 24],
    ["nest_96_wellplate_200ul_flat", ["H12"], 8, 12],
    ["greiner_1536_well", ["AF48"], 32, 48],
    ["unheard_of", ["D7"], 6, 8],
    ["says_96_but_is_not", ["P24"], 16, 24],
  ])("%s with %j has %i rows and %i columns", (labware, wells, rows, columns) => {
    expect(formatOf(labware, wells)).toEqual({ rows, columns });
  });

  test("cursor keys go from well to well and stay on the plate", () => {
    const format = { rows: 8, columns: 12 };
    expect(step({ row: 0, column: 0 }, "ArrowUp", format)).toEqual({ row: 0, column: 0 });
    expect(step({ row: 0, column: 0 }, "ArrowRight", format)).toEqual({ row: 0, column: 1 });
    expect(step({ row: 7, column: 11 }, "ArrowDown", format)).toEqual({ row: 7, column: 11 });
    expect(step({ row: 3, column: 4 }, "End", format)).toEqual({ row: 3, column: 11 });
    expect(step({ row: 3, column: 4 }, "x", format)).toBeNull();
  });
});
