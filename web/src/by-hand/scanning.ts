// Which plates of a step were scanned, and what is said of it. Pure.

import type { PlateByHand } from "./types.ts";

type Plates = readonly Pick<PlateByHand, "barcode">[];

/** Barcodes of the step's plates that were scanned, and the last scan where it was of none of them. */
export type Scan = { ticked: readonly string[]; wrong: string | null };

export const NOTHING_SCANNED: Scan = { ticked: [], wrong: null };

/** Takes what a scanner or a person typed. Barcodes are compared as the server does: to the letter. */
export function scanned(now: Scan, typed: string, plates: Plates): Scan {
  const barcode = typed.trim();
  if (barcode === "") return now;
  if (!plates.some((plate) => plate.barcode === barcode)) return { ...now, wrong: barcode };
  return { ticked: now.ticked.includes(barcode) ? now.ticked : [...now.ticked, barcode], wrong: null };
}

export const wrongWords = (barcode: string, plates: Plates) =>
  `${barcode} is not a plate of this step: it is for ${barcodesOf(plates)}.`;

export type Said = { tone: "bad" | "waits" | "good"; words: string };

/** What `Done` would say of the plates; nothing where there are none. */
export function scanWords({ ticked, wrong }: Scan, plates: Plates): Said | null {
  if (plates.length === 0) return null;
  if (wrong !== null) return { tone: "bad", words: "last scan: another plate" };
  if (ticked.length === 0) return { tone: "waits", words: "not scanned" };
  if (ticked.length < plates.length)
    return { tone: "waits", words: `${ticked.length} of ${plates.length} scanned` };
  return { tone: "good", words: plates.length === 1 ? "scanned" : `all ${plates.length} scanned` };
}

const NAMED = 3;

/** `P-1, P-2 and P-3`; of more, the first and how many others. */
export function barcodesOf(plates: Plates): string {
  const names = plates.map((plate) => plate.barcode);
  const rest = names.length > NAMED ? `${names.length - NAMED + 1} more` : names.at(-1);
  const first = names.slice(0, Math.min(NAMED, names.length) - 1);
  return first.length > 0 ? `${first.join(", ")} and ${rest}` : (rest ?? "");
}
