// Steps of an assay that people do, as `GET /api/v1/by-hand` tells them.

export type PlateByHand = {
  barcode: string;
  labware: string;
  /** Where it stands as far as is known. */
  at: { device: string; slot: string } | null;
};

export type ByHand = {
  /** Of its job. */
  id: string;
  /** `running`: somebody has it in hand; `stopping`: and is asked to stop. */
  state: "ready" | "running" | "stopping";
  instruction: string;
  plates: PlateByHand[];
  campaign_id: string | null;
  campaign: string | null;
  /** Number of the round. */
  round: number | null;
  plate_id: string | null;
  /** Real time since which it is ready, or at which it was taken. */
  since: string;
  /** Laboratory time by which it must be taken. */
  deadline_lab_at: string | null;
  /** Who has it in hand. */
  taken_by: string | null;
  taken_by_id: string | null;
  /** Real time; without an answer by then it is in doubt. */
  answer_by: string | null;
  /** How often it was taken before. */
  attempt: number;
};

/** What somebody says of a step, as their card shows it; each kind is a door of its job. */
export type Act =
  | { kind: "take" }
  | { kind: "give-back"; attempt: number }
  | { kind: "done"; attempt: number; note: string; scanned: readonly string[] }
  | { kind: "went-wrong"; attempt: number; reason: string };

/** What the server says to an act: to a step given back, where it went. */
export type Answer = { answer_by?: string; already?: boolean; state?: "ready" | "cancelled" };

/** An act that was refused. It outlives the step's card, which may leave the list meanwhile. */
export type Trouble = { step: ByHand; what: string; error: unknown };
