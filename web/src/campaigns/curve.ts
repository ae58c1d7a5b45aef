import type { CampaignProgress, LearningCurve, RoundSummary } from "../api/types.ts";

export type CurvePoint = {
  round: number;
  measured: number;
  hits: number;
  random?: { mean: number; low: number; high: number };
};

/** The server's learning curve, from nothing measured on. */
export function pointsOf(curve: LearningCurve): CurvePoint[] {
  const start: CurvePoint = { round: 0, measured: 0, hits: 0, random: { mean: 0, low: 0, high: 0 } };
  const rounds = curve.rounds.map((it): CurvePoint => {
    const point = { round: it.round, measured: it.cumulative_measured, hits: it.cumulative_hits };
    const { random_mean: mean, random_low: low, random_high: high } = it;
    // Without an estimate of how many hits there are, chance has no expectation.
    return mean == null || low == null || high == null ? point : { ...point, random: { mean, low, high } };
  });
  return [start, ...rounds];
}

/** What can be told from the rounds alone, on a server that does not compare with random choice. */
export function pointsFromRounds(progress: CampaignProgress): CurvePoint[] {
  let measured = 0;
  let hits = 0;
  const points: CurvePoint[] = [{ round: 0, measured, hits }];
  for (const round of progress.rounds) {
    const summary = round.summary as RoundSummary | null | undefined;
    if (!summary) continue;
    measured += summary.passed_qc - (summary.measured_again ?? 0);
    hits += summary.hits_found - (summary.hits_withdrawn ?? 0);
    points.push({ round: round.number, measured, hits });
  }
  return points;
}
