import type { VirtualExperiment } from "../api/types.ts";

/** One experiment a line, each once: names as they are typed, in one context. */
export function experimentsOf(text: string, context: string) {
  const names = text.split("\n").map((line) => line.trim());
  const once = [...new Set(names.filter((name) => name !== ""))];
  return once.map((perturbation) => ({ perturbation, context }));
}

/** Each thing that is said of what predictions rest on, once, with the names of those that it is said of. */
export function notesOf(predictions: VirtualExperiment[]): { note: string; names: string[] }[] {
  const names = new Map<string, string[]>();
  for (const { note, perturbation } of predictions)
    names.set(note, [...(names.get(note) ?? []), perturbation]);
  return [...names].map(([note, of]) => ({ note, names: of }));
}
