// Why something does not move, as the server's watchdog tells it.

export type Owner = "approvers" | "operator" | "engineer" | "agent" | "learner" | "engine" | "calendar";

export type Reason = {
  code: string;
  /** Whose turn it is. */
  owner: Owner;
  /** `waits for capability read.plate: reader-1 in maintenance until 14:00` */
  words: string;
  /** Empty when nothing needs to be done. */
  to_do: string;
  since?: string | null;
};

/** The weightiest first; empty when it has ended. */
export type Why = { reasons: Reason[] };

/** Something past its deadline. */
export type Standstill = {
  subject: "campaign" | "round" | "batch" | "job" | "model" | "instrument";
  id: string;
  state: string;
  campaign_id?: string | null;
  owner: Owner;
  since: string;
  reasons: Reason[];
  /** Home shows it already as something of its own: a job in doubt, a held round, a waiting batch. */
  told_otherwise: boolean;
};
