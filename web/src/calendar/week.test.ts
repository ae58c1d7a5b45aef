import { describe, expect, test } from "vitest";
import type { CalendarItem } from "../api/types.ts";
import { addWeeks, dayName, daysOf, lanesOf, loadOf, mondayOf, parseDay, spanOf } from "./week.ts";

const item = (over: Partial<CalendarItem>): CalendarItem => ({
  kind: "dispense",
  campaign_id: null,
  campaign: null,
  title: "Plate",
  from_lab_at: new Date(2026, 11, 22, 0).toISOString(),
  to_lab_at: new Date(2026, 11, 22, 12).toISOString(),
  instrument: "handler-1",
  certain: true,
  needs: null,
  fits: true,
  why_not: null,
  ...over,
});

const days = daysOf(new Date(2026, 11, 21));

describe("a week", () => {
  test("begins on Monday, also on a Sunday and at the turn of a year", () => {
    expect(dayName(mondayOf(new Date(2026, 11, 27, 23)))).toBe("2026-12-21");
    expect(dayName(mondayOf(new Date(2026, 11, 21)))).toBe("2026-12-21");
    expect(dayName(mondayOf(new Date(2027, 0, 1)))).toBe("2026-12-28");
    expect(dayName(addWeeks(new Date(2026, 11, 28), 1))).toBe("2027-01-04");
  });

  test("has seven days that meet each other", () => {
    expect(days).toHaveLength(7);
    for (const [at, day] of days.entries()) if (at > 0) expect(day.start).toEqual(days[at - 1]?.end);
  });

  test("is named in the address, and nothing else is", () => {
    expect(parseDay("2026-12-21")).toEqual(new Date(2026, 11, 21));
    expect(parseDay("next week")).toBeNull();
    expect(parseDay(undefined)).toBeNull();
  });
});

describe("what stands in a week", () => {
  test("is drawn where it is, cut at the edges, and left out beyond them", () => {
    const span = spanOf(item({}), days);
    expect(span?.from).toBeCloseTo(1 / 7);
    expect(span?.to).toBeCloseTo(1.5 / 7);
    const long = spanOf(
      item({
        from_lab_at: new Date(2026, 11, 1).toISOString(),
        to_lab_at: new Date(2027, 1, 1).toISOString(),
      }),
      days,
    );
    expect(long).toMatchObject({ from: 0, to: 1, startsBefore: true, endsAfter: true });
    const past = item({
      from_lab_at: new Date(2026, 11, 1).toISOString(),
      to_lab_at: new Date(2026, 11, 2).toISOString(),
    });
    expect(spanOf(past, days)).toBeNull();
  });

  test("has a lane for each instrument, rounds first, and overlaps in rows of their own", () => {
    const later = {
      from_lab_at: new Date(2026, 11, 22, 6).toISOString(),
      to_lab_at: new Date(2026, 11, 22, 18).toISOString(),
    };
    const lanes = lanesOf(
      [
        item({}),
        item({ ...later, title: "Other" }),
        item({ kind: "round_due", instrument: null }),
        item({ instrument: "reader-1" }),
      ],
      days,
      () => 0,
    );
    expect(lanes.map((lane) => [lane.name, lane.rows.length])).toEqual([
      ["Rounds", 1],
      ["handler-1", 2],
      ["reader-1", 1],
    ]);
  });

  test("keeps its name to itself: beside a short bar, on the side where there is room, and in nobody's way", () => {
    const at = (day: number, title: string) =>
      item({
        title,
        from_lab_at: new Date(2026, 11, day, 6).toISOString(),
        to_lab_at: new Date(2026, 11, day, 7).toISOString(),
      });
    const rows = (label: number) =>
      lanesOf([at(22, "first"), at(23, "second"), at(27, "last")], days, () => label)
        .flatMap((lane) => lane.rows)
        .map((row) => row.map((span) => `${span.item.title} ${span.label}`));
    expect(rows(0.1)).toEqual([["first right", "second right", "last left"]]);
    expect(rows(0.3)).toEqual([["first right", "last left"], ["second right"]]);
    expect(rows(0.01)).toEqual([["first inside", "second inside", "last inside"]]);
  });

  test("says how much of an instrument's day is taken, also more than there is", () => {
    const load = [
      { instrument: "handler-1", day: "2026-12-22", hours: 6, capacity_hours: 24 },
      { instrument: "handler-1", day: "2026-12-23", hours: 30, capacity_hours: 24 },
      { instrument: "handler-1", day: "2026-12-24", hours: 1, capacity_hours: 0 },
      { instrument: "reader-1", day: "2026-12-21", hours: 1, capacity_hours: 24 },
    ];
    expect(loadOf(load, "handler-1", days)).toEqual([
      null,
      0.25,
      1.25,
      Number.POSITIVE_INFINITY,
      null,
      null,
      null,
    ]);
  });
});
