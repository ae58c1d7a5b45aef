// Records as the server makes them, for tests; a test says what matters to it.

import type { Batch, PlanSummary, Plate, Proposal, StockPlateShown } from "../api/types.ts";
import type { ByHand } from "../by-hand/types.ts";

export function proposal(id: string, over: Partial<Proposal> = {}): Proposal {
  return {
    id,
    rank: 1,
    origin: "model",
    status: "selected",
    perturbation: id.toUpperCase(),
    context: "D1",
    mean: 0.5,
    epistemic_sd: 0.1,
    aleatoric_sd: 0.2,
    hit_probability: 0.3,
    score: 0.3,
    reason: "probability of hit",
    ...over,
  };
}

/** A plan that can be carried out, with these figures. */
export function draft(digest: string, figures: Partial<PlanSummary> = {}): NonNullable<Batch["draft"]> {
  return { plan: "possible", digest: digest.repeat(64), plates: [], summary: { ...SUMMARY, ...figures } };
}

const SUMMARY: PlanSummary = {
  experiments: 2,
  plates: 1,
  wells_used: 8,
  sample_wells: 4,
  control_wells: 4,
  transfers: 8,
  tips: 8,
  deck_loads: 1,
  source_plates: 1,
  plate_moves: 4,
  volume_nl: 8000,
  volume_nl_by_content: {},
  estimated_hours: 72,
};

export function batch(over: Partial<Batch> = {}): Batch {
  return {
    id: "b1",
    campaign: "demo",
    campaign_id: "c1",
    round: 1,
    round_id: "r1",
    generation: 1,
    state: "awaiting_approval",
    revision: 1,
    selected: 2,
    layout_seed: 1,
    propose_job_id: "j1",
    verdicts: [],
    excluded: [],
    approval: { needed: 1, given: 0, roles: [], may_approve: true, why_not: null, editors: [] },
    created_at: "2026-01-05T08:00:00Z",
    draft: draft("0"),
    ...over,
  };
}

export function plate(over: Partial<Plate> = {}): Plate {
  return {
    id: "p1",
    round_id: "r1",
    batch_id: "b1",
    ordinal: 1,
    generation: 1,
    barcode: "ASY-0001",
    labware: "corning_384_wellplate_112ul_flat",
    context: "D1",
    state: "passed",
    created_at: "2026-01-05T08:00:00Z",
    wells: [],
    transfers: [],
    readings: [],
    ...over,
  };
}

export function stockPlate(over: Partial<StockPlateShown> = {}): StockPlateShown {
  return {
    barcode: "LIB-1",
    role: "library",
    labware: "corning_384_wellplate_112ul_flat",
    context: null,
    state: "available",
    at: "storage/LIB-1",
    wells: 2,
    volume_nl: 90_000,
    reserved_nl: 2_000,
    registered_at: "2026-01-05T08:00:00Z",
    since_at: "2026-01-05T08:00:00Z",
    confirmed: false,
    well_list: [
      { well: "A1", content: "CBLB", volume_nl: 50_000, reserved_nl: 2_000 },
      { well: "A2", content: "CD5", volume_nl: 40_000, reserved_nl: 0 },
    ],
    made_into: null,
    draws: [],
    changes: [],
    capacity_nl: 112_000,
    stays_nl: 6_120,
    ...over,
  };
}

export function stepByHand(over: Partial<ByHand> = {}): ByHand {
  return {
    id: "s1",
    state: "ready",
    instruction: "Seal the plate.",
    plates: [
      {
        barcode: "P-1",
        labware: "corning_384_wellplate_112ul_flat",
        at: { device: "handler-1", slot: "4" },
      },
    ],
    campaign_id: "c1",
    campaign: "demo",
    round: 1,
    plate_id: "p1",
    since: "2026-01-05T08:00:00Z",
    deadline_lab_at: null,
    taken_by: null,
    taken_by_id: null,
    answer_by: null,
    attempt: 0,
    ...over,
  };
}
