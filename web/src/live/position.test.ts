import { afterEach, expect, test, vi } from "vitest";
import { endOfRecord, lastPosition } from "./position.ts";

afterEach(() => vi.unstubAllGlobals());

test("the end of the record is found, in few looks", async () => {
  for (const end of [0, 1, 2, 63, 64, 65, 1_000, 123_456, 1_000_000]) {
    for (const hint of [0, end, Math.floor(end / 2), end + 10]) {
      let looks = 0;
      const found = await lastPosition(async (after) => {
        looks += 1;
        return end > after;
      }, hint);
      expect(found, `end ${end}, hint ${hint}`).toBe(end);
      expect(looks).toBeLessThan(45);
      if (hint === end && end > 0) expect(looks).toBeLessThanOrEqual(3);
    }
  }
});

test("where this tab found the end before, it is found again with a few requests", async () => {
  const kept = new Map<string, string>();
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
  let end = 100_000;
  let requests = 0;
  vi.stubGlobal("fetch", async (request: Request) => {
    requests += 1;
    const after = Number(new URL(request.url).searchParams.get("after"));
    return new Response(JSON.stringify(end > after ? [{ position: after + 1 }] : []));
  });
  expect(await endOfRecord()).toBe(100_000);
  expect(requests).toBeGreaterThan(15);
  end += 3;
  requests = 0;
  expect(await endOfRecord()).toBe(100_003);
  expect(requests).toBeLessThanOrEqual(6);
});
