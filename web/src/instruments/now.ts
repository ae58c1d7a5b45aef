import type { Instrument } from "../api/types.ts";

/** An instrument as servers tell it that know why it is out of service; from an older one the rest is absent. */
export type InstrumentNow = Instrument & {
  state_reason?: string | null;
  state_by?: string | null;
  /** Real time. */
  state_since?: string | null;
  /** Laboratory time; nothing happens then by itself. */
  back_lab_at?: string | null;
};
