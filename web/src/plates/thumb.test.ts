import { QueryClient } from "@tanstack/react-query";
import { afterEach, expect, test, vi } from "vitest";
import type { PlateState } from "../api/types.ts";
import { plate } from "../tests/made.ts";
import { thumbQuery } from "./thumb.ts";

afterEach(() => vi.unstubAllGlobals());

test("a finished plate is read once; one that was read before it had finished is read again", async () => {
  vi.useFakeTimers();
  let reads = 0;
  let state: PlateState = "reading";
  vi.stubGlobal("fetch", async () => {
    reads += 1;
    return new Response(JSON.stringify(plate({ state })));
  });
  const client = new QueryClient();
  const look = () => client.fetchQuery(thumbQuery("p1"));
  await look();
  state = "passed";
  vi.setSystemTime(Date.now() + 60_000);
  expect((await look()).state).toBe("passed");
  vi.setSystemTime(Date.now() + 60_000);
  await look();
  expect(reads).toBe(2);
  vi.useRealTimers();
});
