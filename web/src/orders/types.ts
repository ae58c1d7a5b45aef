// Orders that stop means stop for: at campaign, round, job and instrument.

export type Order = "pause" | "drain" | "resume" | "cancel";
export type SubjectKind = "campaign" | "round" | "job" | "instrument";

/** What a person paused or drains. */
export type Hold = { manner: "pause" | "drain"; reason: string; by: string; since: string };

/** The hold of a record, where its server tells of any. */
export const holdOf = (record: object | null | undefined): Hold | null =>
  (record as { hold?: Hold | null } | null | undefined)?.hold ?? null;
