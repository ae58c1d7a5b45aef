import { expect, test } from "vitest";
import type { CampaignProgress, LearningCurve } from "../api/types.ts";
import { pointsFromRounds, pointsOf } from "./curve.ts";
import { marks, roundsNow } from "./stages.ts";

const inOrder = (state: string, held_from?: string) => Object.values(marks({ state, held_from }));

test("a round's stages stand as its state says", () => {
  expect(inOrder("proposing")).toEqual(["now", "ahead", "ahead", "ahead", "ahead"]);
  expect(inOrder("executing")).toEqual(["done", "done", "done", "now", "ahead"]);
  expect(inOrder("held", "planning")).toEqual(["done", "done", "held", "ahead", "ahead"]);
  expect(inOrder("closed")).toEqual(["done", "done", "done", "done", "done"]);
  expect(inOrder("cancelled")).toEqual(["stopped", "stopped", "stopped", "stopped", "stopped"]);
});

test("all rounds that live are shown, the newest first; the last where none does", () => {
  const rounds = ["closed", "executing", "cancelled", "proposing"].map((state, at) => ({ state, at }));
  expect(roundsNow(rounds).map((it) => it.at)).toEqual([3, 1]);
  expect(roundsNow(rounds.filter((it) => it.state === "closed" || it.state === "cancelled"))).toEqual([
    { state: "cancelled", at: 2 },
  ]);
  expect(roundsNow([])).toEqual([]);
});

test("a learning curve begins with nothing and adds up", () => {
  const progress = {
    rounds: [
      { number: 1, summary: { passed_qc: 90, hits_found: 5 } },
      { number: 2, summary: { passed_qc: 96, measured_again: 10, hits_found: 20, hits_withdrawn: 1 } },
      { number: 3, summary: null },
    ],
  } as unknown as CampaignProgress;
  expect(pointsFromRounds(progress)).toEqual([
    { round: 0, measured: 0, hits: 0 },
    { round: 1, measured: 90, hits: 5 },
    { round: 2, measured: 176, hits: 24 },
  ]);
  const curve: LearningCurve = {
    pool_size: 2000,
    total_hits_estimate: null,
    rounds: [
      {
        round: 1,
        measured: 90,
        hits: 5,
        cumulative_measured: 90,
        cumulative_hits: 5,
        random_mean: 3,
        random_low: 1,
        random_high: 6,
      },
    ],
  };
  expect(pointsOf(curve).map((it) => it.random?.high)).toEqual([0, 6]);
});
