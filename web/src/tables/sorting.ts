export type Value = string | number | null | undefined;
export type Sorting = { key: string; descending: boolean } | null;

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Absent values come last, whichever way it is sorted. */
export function compare(a: Value, b: Value, descending: boolean): number {
  const noA = a === null || a === undefined || (typeof a === "number" && Number.isNaN(a));
  const noB = b === null || b === undefined || (typeof b === "number" && Number.isNaN(b));
  if (noA || noB) return Number(noA) - Number(noB);
  const order =
    typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b));
  return descending ? -order : order;
}

/** A sorted copy; equal rows keep their order. */
export function sorted<T>(rows: readonly T[], by: ((row: T) => Value) | undefined, descending: boolean): T[] {
  const copy = [...rows];
  return by ? copy.sort((a, b) => compare(by(a), by(b), descending)) : copy;
}

/** What a click on a column's head does: its first way, the other way, and back to the list's own order. */
export function nextSorting(now: Sorting, key: string, numbersFirstDown: boolean): Sorting {
  if (now?.key !== key) return { key, descending: numbersFirstDown };
  if (now.descending === numbersFirstDown) return { key, descending: !numbersFirstDown };
  return null;
}
