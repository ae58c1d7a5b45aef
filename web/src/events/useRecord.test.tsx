// @vitest-environment jsdom

import { QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeQueryClient } from "../app/query-client.ts";
import { PAGE, useRecord } from "./useRecord.ts";

beforeEach(() => sessionStorage.clear());
afterEach(() => vi.unstubAllGlobals());

/** A record of these positions, read by somebody who may read them all, or every so manieth only. */
function server(record: { end: number }, each = 1) {
  vi.stubGlobal("fetch", async (request: Request) => {
    const query = new URL(request.url).searchParams;
    const [after, limit] = [Number(query.get("after")), Number(query.get("limit"))];
    const events: { position: number }[] = [];
    for (let at = after + 1; at <= record.end && events.length < limit; at++) {
      if (at % each === 0) events.push({ position: at });
    }
    return new Response(JSON.stringify(events));
  });
}

function opened() {
  const client = makeQueryClient();
  const { result } = renderHook(useRecord, {
    wrapper: ({ children }) => <QueryClientProvider client={client}>{children}</QueryClientProvider>,
  });
  const positions = () => result.current.events?.map((it) => it.position) ?? [];
  const older = () => act(() => result.current.pages.fetchNextPage().then(() => {}));
  const lookAgain = () => act(() => client.invalidateQueries({ queryKey: ["events", "end"] }));
  return { result, positions, older, lookAgain };
}

test("the page follows the record while it is one; older ones that are loaded stay until somebody asks for the new", async () => {
  const record = { end: 1_000 };
  server(record);
  const { result, positions, older, lookAgain } = opened();
  await waitFor(() => expect(positions()[0]).toBe(1_000));
  record.end = 1_005;
  await lookAgain();
  await waitFor(() => expect(positions()[0]).toBe(1_005));
  expect(result.current.ahead).toBe(0);

  await older();
  await waitFor(() => expect(positions()).toHaveLength(2 * PAGE));
  record.end = 1_012;
  await lookAgain();
  await waitFor(() => expect(result.current.ahead).toBe(7));
  expect(positions()).toHaveLength(2 * PAGE);
  expect(positions()[0]).toBe(1_005);

  act(() => result.current.toTheEnd());
  await waitFor(() => expect(positions()[0]).toBe(1_012));
  expect(result.current.ahead).toBe(0);
});

test("whoever may not read all of it sees each event once", async () => {
  server({ end: 1_000 }, 3);
  const { positions, older } = opened();
  await waitFor(() => expect(positions()[0]).toBe(999));
  await older();
  await waitFor(() => expect(positions().at(-1)).toBe(600));
  expect(new Set(positions()).size).toBe(positions().length);
});

test("after a restore it begins at the end that there is", async () => {
  const record = { end: 1_000 };
  server(record);
  const { positions, older, lookAgain } = opened();
  await waitFor(() => expect(positions()[0]).toBe(1_000));
  await older();
  await waitFor(() => expect(positions()).toHaveLength(2 * PAGE));
  record.end = 900;
  await lookAgain();
  await waitFor(() => expect(positions()[0]).toBe(900));
});
