// After a failover or a restore, as `GET /api/v1/reconciliation` tells it.

export type PartyState = "awaited" | "reconciled" | "excused";

/** An instrument whose agent has to say what it did. */
export type Party = {
  instrument: string;
  state: PartyState;
  since: string;
  /** Results that its agent had kept and offered. */
  offered?: number | null;
  /** The agent, or the person who excused it. */
  by?: string | null;
  excused_reason?: string | null;
};

export type Reconciliation = {
  /** Which life of the database this is. */
  epoch: string;
  opened_because: string;
  opened_at: string;
  /** Absent while no robot is given work. */
  closed_at?: string | null;
  /** Reports under leases that this database never gave, and of jobs that it does not know. */
  unknown_reports: number;
  orphan_reports: number;
  /** Jobs in doubt that only a person settles. */
  jobs_in_doubt: number;
  instruments: Party[];
};
