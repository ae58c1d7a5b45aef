import { expect, test } from "vitest";
import { lineCount, offsetOf, plainLines } from "./lines.ts";

test.each([
  ["a\nbc\nd", 1, 1, 0],
  ["a\nbc\nd", 2, 2, 3],
  ["a\nbc\nd", 2, 99, 4],
  ["a\nbc\nd", 9, 1, 6],
  ["", 1, 1, 0],
  // A column counts characters, a text area counts UTF-16.
  ['"🧬🧬" = 1\n', 1, 4, 5],
])("%j has line %i, column %i at %i", (text, line, column, at) =>
  expect(offsetOf(text, line, column)).toBe(at),
);

test("a text from any disk has the line ends of a text area", () => {
  expect(plainLines("a\r\nb\rc\n")).toBe("a\nb\nc\n");
  expect(lineCount("a\nb\nc\n")).toBe(4);
});
