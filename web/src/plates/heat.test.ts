import { describe, expect, test } from "vitest";
import type { Judgement } from "../api/types.ts";
import { plate } from "../tests/made.ts";
import { firstLayer, heatOf, mainChannel, normaliser, volumesOf } from "./heat.ts";

const qc: Judgement = {
  verdict: "pass",
  reasons: [],
  z_prime: 0.7,
  control_drift: 0.02,
  missing_fraction: 0,
  negative: { n: 2, mean: 100, sd: 1 },
  positive: { n: 2, mean: 300, sd: 1 },
};

const transfer = (
  well: string,
  intended_nl: number,
  actual_nl: number | null,
  error: string | null = null,
) => ({
  source_barcode: "LIB",
  source_well: "A1",
  destination_well: well,
  intended_nl,
  actual_nl,
  error,
});

const read = plate({
  wells: [
    { well: "A1", role: "sample", proposal_id: "x" },
    { well: "A2", role: "negative_control", proposal_id: null },
    { well: "A3", role: "sample", proposal_id: "y" },
  ],
  readings: [
    { channel: "call", unit: "", value: 1, well: "A1" },
    { channel: "call", unit: "", value: 1, well: "A2" },
    { channel: "signal", unit: "RFU", value: 200, well: "A1" },
    { channel: "signal", unit: "RFU", value: 100, well: "A2" },
  ],
  transfers: [transfer("A1", 1000, 990), transfer("A2", 1000, 1000), transfer("A3", 1000, 700)],
});

const names = new Map([
  ["x", "TP53"],
  ["y", "MYC"],
]);

describe("a plate's heat", () => {
  test("is normalised to the plate's own controls", () => {
    const normalise = normaliser(qc);
    expect([100, 300, 200].map((it) => normalise?.(it))).toEqual([0, 1, 0.5]);
    expect(normaliser({ ...qc, positive: { n: 1, mean: 100, sd: 0 } })).toBeNull();
    expect(normaliser(null)).toBeNull();
  });

  test("shows the channel that tells most, not the calls", () => {
    expect(mainChannel(read)).toBe("signal");
    expect(firstLayer(read, qc)).toBe("normalised");
    expect(firstLayer(read, null)).toBe("raw");
    expect(firstLayer(plate(), null)).toBe("roles");
  });

  test("names well, perturbation, value and volume, and leaves what was not read empty", () => {
    const { wells } = heatOf(read, qc, { layer: "normalised", channel: "signal", dark: false }, names);
    expect(wells[0]?.title).toBe("A1: TP53 · signal 200 RFU · normalised 0.50 · 990 nL of 1 µL");
    expect(wells[0]?.mark).toBeUndefined();
    expect(wells[2]?.fill).toBeUndefined();
  });

  test("marks a transfer that was short or failed, as ingestion does", () => {
    const { wells } = heatOf(read, qc, { layer: "volume", channel: "signal", dark: false }, names);
    expect(wells.map((it) => it.mark)).toEqual([undefined, undefined, "wrong"]);
  });

  test("adds up the transfers of a well, and says when the device did not", () => {
    const pair = plate({ transfers: [transfer("B2", 500, 480), transfer("B2", 500, null, "tip lost")] });
    expect(volumesOf(pair).get("B2")).toEqual({ intended: 1000, actual: null, error: "tip lost" });
  });
});
