import type { Plate } from "../api/types.ts";

/** Source plates that a plate draws from, with how many of its transfers come from each; most at first. Pure. */
export function sourcesOf(plate: Pick<Plate, "transfers">): { barcode: string; transfers: number }[] {
  const sums = new Map<string, number>();
  for (const { source_barcode: barcode } of plate.transfers) sums.set(barcode, (sums.get(barcode) ?? 0) + 1);
  const sources = [...sums].map(([barcode, transfers]) => ({ barcode, transfers }));
  return sources.sort((a, b) => b.transfers - a.transfers || a.barcode.localeCompare(b.barcode));
}
