import { expect, test } from "vitest";
import { asLocal, stretchFault, wallMoment } from "./wall.ts";

test("an instant is shown by the zone's own wall clock", () => {
  expect(wallMoment("2026-12-24T07:30:00Z", "Europe/Berlin")).toContain("08:30");
  expect(wallMoment("2026-12-24T20:30:00Z", "Australia/Lord_Howe")).toMatch(/25 Dec.*07:30/);
  expect(wallMoment("2026-12-24T07:30:00Z", "Mars/Olympus")).toContain("24 Dec");
  expect(wallMoment("soon", "UTC")).toBe("–");
});

test("a date alone goes as a date, which the server takes to its end", () => {
  expect(asLocal("2026-12-24", "")).toBe("2026-12-24");
  expect(asLocal("2026-12-24", "08:30")).toBe("2026-12-24T08:30:00");
});

test("a stretch ends after it begins; one whole day is one", () => {
  expect(stretchFault("2026-12-24", "2026-12-24")).toBeNull();
  expect(stretchFault("2026-12-24T08:00:00", "2026-12-24")).toBeNull();
  expect(stretchFault("2026-12-24T08:00:00", "2026-12-24T12:00:00")).toBeNull();
  expect(stretchFault("2026-12-24", "2026-12-23")).toMatch(/before/);
  expect(stretchFault("2026-12-24T08:00:00", "2026-12-24T08:00:00")).toMatch(/before/);
  expect(stretchFault("", "2026-12-24")).toBeNull();
});
