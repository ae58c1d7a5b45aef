// What the server is about to answer and docs/openapi.json does not describe yet, in one place: each of these
// types goes when the generated one is there. An answer of 404 means an older server: the part is hidden.

/** Users of a demo, with their passwords, for its sign-in page. */
export type DemoPerson = { name: string; password: string; role: string; display_name?: string };

export type CalendarKind =
  | "round_due"
  | "approval_needed_by"
  | "dispense"
  | "incubate"
  | "read"
  | "blackout"
  | "maintenance";

export type CalendarItem = {
  kind: CalendarKind;
  campaign_id: string | null;
  campaign: string | null;
  title: string;
  from_lab_at: string;
  to_lab_at: string;
  instrument: string | null;
  certain: boolean;
  needs: string | null;
  fits: boolean;
  why_not: string | null;
};

/** Work of an instrument on one day (of the zone asked for), against what it can do. */
export type CalendarLoad = { instrument: string; day: string; hours: number; capacity_hours: number };
export type Calendar = { items: CalendarItem[]; load: CalendarLoad[] };
export type NextTick = { at: string; local: string; zone: string; note: string | null };
