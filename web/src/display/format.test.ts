import { describe, expect, test } from "vitest";
import { duration, number, percent, plural, relative, shortId, spokenName, title, volume } from "./format.ts";

describe("numbers", () => {
  test.each([
    [0.123456, "0.12"],
    [-0.5, "−0.50"],
    [12.345, "12.3"],
    [1234.5, "1235"],
    [0.00123, "0.0012"],
    [0, "0.00"],
    [null, "–"],
    [Number.NaN, "–"],
  ])("%j is read as %s", (value, text) => expect(number(value)).toBe(text));

  test.each([
    [0.5, "50 %"],
    [0.001, "<1 %"],
    [0.999, ">99 %"],
    [1, "100 %"],
    [0, "0 %"],
    [null, "–"],
  ])("a share of %j is %s", (share, text) => expect(percent(share)).toBe(text));

  test.each([
    [250, "250 nL"],
    [1000, "1 µL"],
    [224_000, "224 µL"],
    [1_500_000, "1.5 mL"],
    [null, "–"],
  ])("%j nanolitres are %s", (nanolitres, text) => expect(volume(nanolitres)).toBe(text));

  test.each([
    [0.25, "250 ms"],
    [12.34, "12.3 s"],
    [125, "2 min 5 s"],
    [7200, "2 h"],
    [86_400 * 3, "3 days"],
  ])("%j seconds are %s", (seconds, text) => expect(duration(seconds)).toBe(text));

  test("one is one, and more are more", () => {
    expect(plural(1, "plate")).toBe("1 plate");
    expect(plural(1200, "plate")).toBe("1,200 plates");
    expect(plural(2, "person", "people")).toBe("2 people");
  });
});

describe("times", () => {
  const now = new Date("2026-06-01T12:00:00Z");
  test.each([
    ["2026-06-01T12:00:10Z", "now"],
    ["2026-06-01T11:57:00Z", "3 min ago"],
    ["2026-06-01T09:00:00Z", "3 h ago"],
    ["2026-06-03T12:00:00Z", "in 2 days"],
    ["2026-05-01T12:00:00Z", "1 month ago"],
  ])("%s is %s", (at, text) => expect(relative(new Date(at), now)).toBe(text));

  test("what is no time is not shown as one", () => expect(relative(new Date("x"), now)).toBe("–"));
});

test("states are words, and ids of one moment are told apart by their end", () => {
  expect(title("awaiting_approval")).toBe("Awaiting approval");
  expect(shortId("01a2222e-6bc3-72bd-a4dd-0a7595b9ab6a")).toBe("…b9ab6a");
  expect(shortId("handler-1")).toBe("handler-1");
});

test("people are spoken to without what stands in brackets", () => {
  expect(spokenName("Alma (administrator)")).toBe("Alma");
  expect(spokenName("Rosa Klein")).toBe("Rosa Klein");
  expect(spokenName("(shared)")).toBe("(shared)");
});
