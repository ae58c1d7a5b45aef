import type { Page } from "./types.ts";

/** More pages than this are not read in one go. */
export const MOST_PAGES = 20;

/** A list as far as it was read. */
export type Whole<T> = {
  items: T[];
  /** It goes on beyond them. */
  cut: boolean;
};

/** Reads a list page after page to its end. */
export async function whole<T>(read: (cursor: string | undefined) => Promise<Page<T>>): Promise<Whole<T>> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const found = await read(cursor);
    items.push(...found.items);
    if (!found.next_cursor) return { items, cut: false };
    cursor = found.next_cursor;
  }
  return { items, cut: true };
}
