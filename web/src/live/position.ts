import { eventsAfter } from "../api/queries.ts";

/** Where the record ended when this tab last looked: a hint only, to find its end in fewer steps. */
const HINT = "loopwright-last-position";
const hint = () => Number(sessionStorage.getItem(HINT)) || 0;
export const keepHint = (position: number) => sessionStorage.setItem(HINT, String(position));

/** The end of the record as it is now. */
export async function endOfRecord(signal?: AbortSignal): Promise<number> {
  const position = await lastPosition(
    async (after) => (await eventsAfter(after, 1, signal)).length > 0,
    hint(),
  );
  keepHint(position);
  return position;
}

/** Reads up to `limit` positions behind `after`. */
export type Look = (after: number) => Promise<boolean>;

/**
 * The last position of the record. Positions have no gaps, so whether there is one behind N is asked in ever
 * longer steps and then halved: some twenty small requests for a million events, and one or two when `hint` is
 * near.
 */
export async function lastPosition(isBehind: Look, hint = 0): Promise<number> {
  let low = hint > 0 && (await isBehind(hint - 1)) ? hint : 0;
  let step = low > 0 ? 1 : 64;
  while (await isBehind(low + step)) {
    low += step;
    step *= 4;
  }
  let high = low + step;
  // There is something behind `low` at most up to `high`.
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await isBehind(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
