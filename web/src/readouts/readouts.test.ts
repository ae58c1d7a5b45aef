import { expect, test } from "vitest";
import type { ReadoutPrediction } from "../api/types.ts";
import { feasibility, readoutNames, readoutWords } from "./readouts.ts";

const viability: ReadoutPrediction = {
  readout: "viability",
  mean: 0.92,
  epistemic_sd: 0.3,
  aleatoric_sd: 0.4,
  feasibility: 0.8,
};
const stress: ReadoutPrediction = {
  readout: "stress",
  probabilities: [
    { label: "none", probability: 0.3 },
    { label: "some", probability: 0.7 },
  ],
  feasibility: 0.5,
};
const area: ReadoutPrediction = { readout: "paint/area", mean: 1, epistemic_sd: 0, aleatoric_sd: 0 };
const size: ReadoutPrediction = { readout: "size", mean: 1, epistemic_sd: 0, aleatoric_sd: 0 };

test("constraints stand first, and the components of a vector have no columns", () => {
  expect(readoutNames([{ readouts: [area, size, viability] }, { readouts: [stress] }])).toEqual([
    "viability",
    "stress",
    "size",
  ]);
  expect(readoutNames([{}])).toEqual([]);
});

test("a number has its whole sd, labels their likeliest", () => {
  expect(readoutWords(viability)).toBe("0.92 ± 0.50");
  expect(readoutWords(stress)).toBe("some 70 %");
  expect(readoutWords(undefined)).toBe("–");
});

test("an experiment is as feasible as all its constraints together", () => {
  expect(feasibility({ readouts: [viability, stress, size] })).toBeCloseTo(0.4);
  expect(feasibility({ readouts: [size] })).toBeNull();
});
