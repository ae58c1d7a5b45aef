import type { ReadoutPrediction } from "../api/types.ts";
import { number, percent } from "../display/format.ts";

/** More columns than this nobody reads: the rest is in the answer of the API and the command line. */
export const MOST_COLUMNS = 4;

/** The further readouts that get a column: constraints first, components of vectors not. */
export function readoutNames(said: { readouts?: ReadoutPrediction[] }[]): string[] {
  const names = new Map<string, boolean>();
  for (const { readout, feasibility } of said.flatMap((it) => it.readouts ?? []))
    if (!readout.includes("/"))
      names.set(readout, (names.get(readout) ?? false) || typeof feasibility === "number");
  const constrained = [...names].filter(([, constrains]) => constrains);
  const others = [...names].filter(([, constrains]) => !constrains);
  return [...constrained, ...others].slice(0, MOST_COLUMNS).map(([name]) => name);
}

/** In a few words: a number with its sd, or the likeliest label. */
export function readoutWords(said: ReadoutPrediction | undefined): string {
  if (!said) return "–";
  if ("probabilities" in said) {
    const likeliest = said.probabilities.reduce((best, it) =>
      it.probability > best.probability ? it : best,
    );
    return `${likeliest.label} ${percent(likeliest.probability)}`;
  }
  return `${number(said.mean)} ± ${number(Math.hypot(said.epistemic_sd, said.aleatoric_sd))}`;
}

/** Probability that all constraints hold, taken for independent; nothing where there are none. */
export function feasibility(said: { readouts?: ReadoutPrediction[] }): number | null {
  const each = (said.readouts ?? []).flatMap((it) =>
    typeof it.feasibility === "number" ? [it.feasibility] : [],
  );
  return each.length === 0 ? null : each.reduce((product, it) => product * it, 1);
}
