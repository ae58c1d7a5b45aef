// @vitest-environment jsdom
import { fireEvent } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { everyKeyInto, SCANNER_MS } from "./keys.ts";

const field = document.createElement("input");
const stopped = vi.fn();
const begin = vi.fn();
let leave: (() => void)[];

const listen = (event: KeyboardEvent) => {
  if (event.key === "!") stopped();
};

beforeEach(() => {
  vi.useFakeTimers();
  document.body.append(field);
  // Two steps in hand: each has a field, and the key passes both.
  leave = [everyKeyInto({ current: field }, begin), everyKeyInto({ current: field }, begin)];
  document.addEventListener("keydown", listen);
});
afterEach(() => {
  for (const off of leave) off();
  document.removeEventListener("keydown", listen);
  field.remove();
  vi.clearAllMocks();
  vi.useRealTimers();
});

test("a letter goes into the field", () => {
  fireEvent.keyDown(document.body, { key: "A" });
  expect(document.activeElement).toBe(field);
});

test("the key that stops everything still does, once", () => {
  fireEvent.keyDown(document.body, { key: "Shift" });
  fireEvent.keyDown(document.body, { key: "!" });
  vi.advanceTimersByTime(10 * SCANNER_MS);
  expect(stopped).toHaveBeenCalledTimes(1);
  expect(begin).not.toHaveBeenCalled();
  expect(document.activeElement).toBe(document.body);
});

test("in a barcode it is a letter, also as the first", () => {
  for (const key of ["!", "A"]) {
    fireEvent.keyDown(document.body, { key });
    vi.advanceTimersByTime(SCANNER_MS / 5);
  }
  vi.advanceTimersByTime(10 * SCANNER_MS);
  expect(begin.mock.calls).toEqual([["!"]]);
  expect(document.activeElement).toBe(field);
  expect(stopped).not.toHaveBeenCalled();
});
