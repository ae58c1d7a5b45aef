// What the server is about to answer and docs/openapi.json does not describe yet, in one place: each of these
// types goes when the generated one is there. An answer of 404 means an older server: the part is hidden.

import type { Page, Scope } from "./types.ts";

// --- Identity ---------------------------------------------------------------------------------------------------

export type Role = "viewer" | "operator" | "scientist" | "engineer" | "admin";
export const ROLES: Role[] = ["viewer", "operator", "scientist", "engineer", "admin"];

/** A role on a project; without a project: everywhere. */
export type Grant = { project_id: string | null; project?: string | null; role: Role };

export type Session = {
  user: { id: string; name: string; display_name: string };
  grants: Grant[];
  scopes: Scope[];
  csrf_token: string;
  expires_at: string;
  idle_expires_at: string;
  must_change_password: boolean;
  demo: boolean;
};

export type User = {
  id: string;
  name: string;
  display_name: string;
  email: string | null;
  state: "active" | "disabled";
  grants: Grant[];
  created_at: string;
  last_sign_in_at: string | null;
  must_change_password: boolean;
};

export type CreatedUser = { user: User; initial_password: string };
export type Project = { id: string; name: string; created_at?: string };
export type Users = Page<User>;
export type Projects = Page<Project>;

/** Users of a demo, with their passwords: only a demo on this machine answers this. */
export type DemoPerson = { name: string; password: string; role: Role; display_name?: string };

// --- Approval ---------------------------------------------------------------------------------------------------

/** How far a batch is from being approved, and whether the caller may. */
export type Approval = {
  needed: number;
  given: number;
  roles: { role: string; needed: number; given: number }[];
  /** What is missing, in words; null when nothing is. */
  missing?: string | null;
  /** Why people are asked although the policy approves batches by itself. */
  asked_because?: string | null;
  may_approve: boolean;
  why_not: string | null;
  expires_lab_at: string | null;
  editors: string[];
};

export type ComingBatch = {
  approval?: Approval | null;
  /** What rejections of earlier generations keep out of this round, in words. */
  excluded?: string[];
};
/** Roles of whoever spoke, when they spoke. */
export type ComingVerdict = { roles?: string[] };
export type ComingSummary = { cost?: { amount: number; currency: string } | null };

export type Comment = { id: string; actor: string; text: string; at: string };

export type Rejection = {
  reason: string;
  exclude: string[];
  exclude_genes?: string[];
  exclude_tags?: string[];
};

export type DraftWell = {
  well: string;
  role: "sample" | "negative_control" | "positive_control";
  proposal_id: string | null;
  perturbation: string | null;
  replicate: number;
  contents: string[];
};

export type DraftPlateMap = {
  ordinal: number;
  barcode: string;
  labware: string;
  context: string;
  rows: number;
  columns: number;
  wells: DraftWell[];
};

export type DraftPlan = { plates: DraftPlateMap[]; next_from?: number | null };

// --- Campaigns and calendar ---------------------------------------------------------------------------------------

export type LearningCurve = {
  total_hits_estimate: { hits: number; basis: string } | null;
  rounds: {
    round: number;
    measured: number;
    hits: number;
    cumulative_measured: number;
    cumulative_hits: number;
    random_mean: number;
    random_low: number;
    random_high: number;
  }[];
};

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
