import { afterEach, expect, test, vi } from "vitest";
import { campaignsQuery, commentsQuery, tasksQuery } from "./queries.ts";
import { MOST_PAGES, whole } from "./whole.ts";

afterEach(() => vi.unstubAllGlobals());

/** A list of so many pages with one item each, which is its number. */
const listOf = (pages: number) => async (cursor: string | undefined) => {
  const at = Number(cursor ?? 1);
  return { items: [at], next_cursor: at < pages ? String(at + 1) : null };
};

test("a list is read to its end, and says where it was cut", async () => {
  expect(await whole(listOf(1))).toEqual({ items: [1], cut: false });
  expect(await whole(listOf(3))).toEqual({ items: [1, 2, 3], cut: false });
  expect((await whole(listOf(MOST_PAGES))).cut).toBe(false);
  const long = await whole(listOf(MOST_PAGES + 1));
  expect(long.items).toHaveLength(MOST_PAGES);
  expect(long.cut).toBe(true);
});

const SIGNAL = { signal: new AbortController().signal } as never;
const LISTS: [string, () => unknown][] = [
  ["campaigns", () => campaignsQuery.queryFn?.(SIGNAL)],
  ["all tasks", () => tasksQuery(false).queryFn?.(SIGNAL)],
  ["comments", () => commentsQuery("b1").queryFn?.(SIGNAL)],
];

test.each(LISTS)("%s go on beyond the first page", async (_name, read) => {
  vi.stubGlobal("fetch", async (request: Request) => {
    const query = new URL(request.url).searchParams;
    return new Response(JSON.stringify(await listOf(2)(query.get("cursor") ?? undefined)));
  });
  expect(await read()).toEqual({ items: [1, 2], cut: false });
});
