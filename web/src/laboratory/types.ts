// The stop of the whole laboratory, as `GET /api/v1/laboratory` tells it.

/** How an agent stands towards the stop: it holds nothing; it goes to a safe point; what it held has ended. */
export type Standing = "idle" | "stopping" | "stopped";

export type Place = {
  /** An instrument, or the queue of workers that stand beside none. */
  place: string;
  worker?: string | null;
  /** Absent: its agent has not confirmed. */
  standing?: Standing | null;
  /** The agent's own words. */
  says?: string | null;
  confirmed_at?: string | null;
  /** From the order to the confirmation. */
  after_ms?: number | null;
  last_seen_at?: string | null;
};

export type Stop = { id: string; reason: string; ordered_by: string; ordered_at: string };

export type Laboratory = {
  /** Absent: it is not stopped. */
  stop?: Stop | null;
  places: Place[];
  not_confirmed: string[];
};
