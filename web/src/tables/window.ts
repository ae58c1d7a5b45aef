export type RowWindow = { first: number; last: number; before: number; after: number };

/** Rows rendered beyond what is seen, so that scrolling shows no gaps. */
const MARGIN = 20;

/**
 * Which rows of `count` stand in view, with the heights that stand for the others. `last` is exclusive.
 * Short lists are rendered whole: the browser's own search then finds everything.
 */
export function rowWindow(count: number, rowHeight: number, scrollTop: number, height: number): RowWindow {
  if (count <= WHOLE) return { first: 0, last: count, before: 0, after: 0 };
  const first = Math.min(count, Math.max(0, Math.floor(scrollTop / rowHeight) - MARGIN));
  const last = Math.min(count, Math.max(first, Math.ceil((scrollTop + height) / rowHeight) + MARGIN));
  return { first, last, before: first * rowHeight, after: (count - last) * rowHeight };
}

export const WHOLE = 150;
