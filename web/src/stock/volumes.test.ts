import { describe, expect, test } from "vitest";
import { drawableNl, exactly, microlitres, parseFound, parseMicrolitres } from "./volumes.ts";

describe("volumes", () => {
  test.each([
    [0, "0 µL"],
    [1, "0.001 µL"],
    [25, "0.025 µL"],
    [12_345, "12.35 µL"],
    [50_000, "50 µL"],
    [224_500, "224.5 µL"],
    [1_234_567, "1,235 µL"],
    [19_200_000, "19,200 µL"],
    [null, "–"],
  ])("%j nanolitres are read as %s", (nanolitres, text) => expect(microlitres(nanolitres)).toBe(text));

  test.each([
    ["48", 48_000],
    [" 12.5 ", 12_500],
    ["48.005", 48_005],
    ["0", 0],
  ])("%j typed is %i nanolitres", (text, nl) => {
    expect(parseMicrolitres(text)).toEqual({ nl });
    expect(parseMicrolitres(exactly(nl))).toEqual({ nl });
  });

  test.each([
    ["", /number/],
    ["-1", /number/],
    ["about 5", /number/],
    ["1e3", /number/],
    ["12,5", /with a point: 12\.5/],
    ["0.0001", /three digits/],
  ])("%j typed is refused", (text, says) => expect(parseMicrolitres(text).fault).toMatch(says));

  const well = { well: "A1", content: "CBLB", volume_nl: 50_000, reserved_nl: 2_000 };

  test("nanolitres typed as microlitres do not fit, and what is reserved stays", () => {
    expect(parseFound("48000", well, 112_000).fault).toMatch("112 µL at most");
    expect(parseFound("1.9", well, 112_000).fault).toMatch("2 µL are reserved");
    expect(parseFound("2", well, 112_000)).toEqual({ nl: 2_000 });
    expect(parseFound("48000", well, null)).toEqual({ nl: 48_000_000 });
  });

  test("what is drawable is neither reserved nor has to stay", () => {
    expect(drawableNl(well, 6_000)).toBe(42_000);
    expect(drawableNl({ ...well, volume_nl: 7_000 }, 6_000)).toBe(0);
    expect(drawableNl(well, undefined)).toBeNull();
  });
});
