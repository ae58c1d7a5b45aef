// A week of the calendar as it is drawn. Pure; days are days of the reader's own time zone.

import type { CalendarItem, CalendarLoad } from "../api/types.ts";

export type Day = { start: Date; end: Date };

/** Monday of the week that holds `at`, at midnight. */
export function mondayOf(at: Date): Date {
  const monday = new Date(at.getFullYear(), at.getMonth(), at.getDate());
  const weekday = (monday.getDay() + 6) % 7;
  monday.setDate(monday.getDate() - weekday);
  return monday;
}

/** Seven days from `monday` on; the days of a clock change are 23 or 25 hours long. */
export function daysOf(monday: Date): Day[] {
  return Array.from({ length: 7 }, (_, day) => {
    const at = (n: number) => new Date(monday.getFullYear(), monday.getMonth(), monday.getDate() + n);
    return { start: at(day), end: at(day + 1) };
  });
}

export const addWeeks = (monday: Date, weeks: number) =>
  new Date(monday.getFullYear(), monday.getMonth(), monday.getDate() + 7 * weeks);

/** `2026-12-21`, for the address. */
export function dayName(day: Date): string {
  const pad = (n: number) => String(n).padStart(2, "0");
  return `${day.getFullYear()}-${pad(day.getMonth() + 1)}-${pad(day.getDate())}`;
}

export function parseDay(name: string | undefined): Date | null {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(name ?? "");
  if (!found) return null;
  const day = new Date(Number(found[1]), Number(found[2]) - 1, Number(found[3]));
  return Number.isNaN(day.getTime()) ? null : day;
}

/** Where a name stands: in its bar, or beside one that is too short for it. */
export type LabelPlace = "inside" | "left" | "right";
export type Span = {
  item: CalendarItem;
  from: number;
  to: number;
  startsBefore: boolean;
  endsAfter: boolean;
};
export type Placed = Span & { label: LabelPlace };
export type Lane = { name: string; rows: Placed[][] };

/** Shares of the week, 0 to 1. Items outside of it are left out; a moment is as wide as `least`. */
export function spanOf(item: CalendarItem, days: readonly Day[], least = 0.012): Span | null {
  const first = days[0]?.start.getTime() ?? 0;
  const last = days.at(-1)?.end.getTime() ?? 1;
  const from = Date.parse(item.from_lab_at);
  const to = Math.max(from, Date.parse(item.to_lab_at));
  if (to < first || from >= last) return null;
  const share = (at: number) => (at - first) / (last - first);
  const left = Math.max(0, share(from));
  return {
    item,
    from: left,
    to: Math.min(1, Math.max(left + least, share(to))),
    startsBefore: from < first,
    endsAfter: to > last,
  };
}

/** Share of an instrument's day that is taken, day by day; `null` where it has no work. */
export function loadOf(
  load: readonly CalendarLoad[],
  instrument: string,
  days: readonly Day[],
): (number | null)[] {
  return days.map((day) => {
    const found = load.find((it) => it.instrument === instrument && it.day === dayName(day.start));
    if (!found) return null;
    return found.capacity_hours > 0 ? found.hours / found.capacity_hours : Number.POSITIVE_INFINITY;
  });
}

const ROUNDS = "Rounds";
const LANE_OF: Partial<Record<CalendarItem["kind"], string>> = {
  round_due: ROUNDS,
  approval_needed_by: ROUNDS,
  blackout: "Closed",
};

/**
 * Items by lane (rounds, closures, each instrument), and within a lane in rows in which nothing overlaps, names
 * included. `labelOf` is the width of an item's name as a share of the week.
 */
export function lanesOf(
  items: readonly CalendarItem[],
  days: readonly Day[],
  labelOf: (item: CalendarItem) => number,
): Lane[] {
  const lanes = new Map<string, Span[]>();
  for (const item of items) {
    const span = spanOf(item, days);
    if (!span) continue;
    const name = LANE_OF[item.kind] ?? item.instrument ?? "Laboratory";
    lanes.set(name, [...(lanes.get(name) ?? []), span]);
  }
  const rank = (name: string) => (name === ROUNDS ? 0 : name === "Closed" ? 1 : 2);
  return [...lanes.entries()]
    .sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b))
    .map(([name, spans]) => ({ name, rows: rowsOf(spans, labelOf) }));
}

/** A bar at least so long holds its name, cut if need be. */
const HOLDS_NAME = 0.1;

function labelPlace(span: Span, label: number): LabelPlace {
  const length = span.to - span.from;
  if (length >= HOLDS_NAME || label <= length) return "inside";
  return span.to + label > 1 ? "left" : "right";
}

/** First row with room, from left to right. */
function rowsOf(spans: Span[], labelOf: (item: CalendarItem) => number): Placed[][] {
  const taken = spans.map((span) => {
    const width = labelOf(span.item);
    const label = labelPlace(span, width);
    const begins = label === "left" ? span.from - width : span.from;
    const ends = label === "right" ? span.to + width : span.to;
    return { placed: { ...span, label }, begins, ends };
  });
  const rows: { ends: number; spans: Placed[] }[] = [];
  for (const { placed, begins, ends } of taken.sort((a, b) => a.begins - b.begins)) {
    const row = rows.find((it) => it.ends <= begins);
    if (row) {
      row.spans.push(placed);
      row.ends = ends;
    } else rows.push({ ends, spans: [placed] });
  }
  return rows.map((row) => row.spans);
}
