// What is said of the stock. Pure.

import type { Counted, Imported, SealedEvent, StockChange, StockDraw } from "../api/types.ts";
import { plural } from "../display/format.ts";

export const ROLE_WORDS: Record<string, string> = { library: "Source plate", assay: "Blank plate" };

/** `storage/LIB-1` is a place in storage: there a plate's slot is its barcode. */
export const isStored = (at: string | null | undefined) => Boolean(at?.startsWith("storage/"));

/** `in storage`, `handler-1, slot 4`; of a plate that stands nowhere, what became of it. */
export function placeWords({ at, state }: { at?: string | null; state: string }): string {
  if (!at) return state === "withdrawn" ? "taken out" : "not known";
  if (isStored(at)) return "in storage";
  const cut = at.indexOf("/");
  return cut < 0 ? at : `${at.slice(0, cut)}, slot ${at.slice(cut + 1)}`;
}

/** A plate that drew from this one, or will. */
export const DRAW_WORDS: Record<string, { label: string; tone: string }> = {
  reserved: { label: "will draw", tone: "reserved" },
  spent: { label: "has drawn", tone: "spent" },
  released: { label: "given back", tone: "cancelled" },
};
export const drawWords = ({ state }: Pick<StockDraw, "state">) =>
  DRAW_WORDS[state] ?? { label: state, tone: state };

export const CHANGE_WORDS: Record<StockChange["change"], string> = {
  counted: "Counted",
  withdrawn: "Withdrawn",
  put_back: "Put back",
  found: "Found in storage",
};

export type CountedWell = { well: string; content: string; before_nl: number | null; after_nl: number };

/** The wells of a count, as it was written down. */
export function countedWells(detail: unknown): CountedWell[] {
  const wells = (detail as { wells?: unknown } | null | undefined)?.wells;
  if (!Array.isArray(wells)) return [];
  return (wells as Partial<CountedWell>[]).filter(
    (it): it is CountedWell => typeof it?.well === "string" && typeof it.after_nl === "number",
  );
}

/** Where a plate was before, of what was written down: `handler-1, slot 4`; `null` where that says nothing. */
export function fromWords(detail: unknown): string | null {
  const from = (detail as { from?: { device?: unknown; slot?: unknown } | null } | null | undefined)?.from;
  if (typeof from?.device !== "string") return null;
  return from.device === "storage" ? "storage" : `${from.device}, slot ${String(from.slot)}`;
}

/** What became of a table of plates. */
export function importedWords({ plates, wells, known }: Imported): string {
  const came = `${plural(plates, "plate")} registered${wells > 0 ? ` with ${plural(wells, "well")}` : ""}, standing in storage.`;
  if (known === 0) return plates === 0 ? "The table has no plate in it." : came;
  const were =
    known === 1
      ? "1 was known already and stays as it is."
      : `${known} were known already and stay as they are.`;
  return plates === 0
    ? `Nothing new: ${plural(known, "plate")} of the table ${were.replace(/^\d+ /, "")}`
    : `${came} ${were}`;
}

/** What a count did. */
export function countedWords({ plates, changed, added, as_known }: Counted): string {
  const parts = [
    ...(changed > 0 ? [`${plural(changed, "well")} changed`] : []),
    ...(added > 0 ? [`${plural(added, "well")} new`] : []),
    ...(as_known > 0 ? [`${plural(as_known, "well")} as the books said`] : []),
  ];
  return `Counted on ${plural(plates, "plate")}: ${parts.join(", ")}.`;
}

/** The plate of the stock that an event is about; `null` for a table of many, and for other things. */
export const barcodeOf = ({
  kind,
  subject,
  subject_id,
}: Pick<SealedEvent, "kind" | "subject" | "subject_id">) =>
  subject === "inventory" && kind.startsWith("Stock") ? subject_id : null;
