import { QueryClient, QueryObserver, type StaleTime } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SealedEvent } from "../api/types.ts";
import { beginAnew, makeRenewer, renewAll, renewedBy } from "./renewal.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const KINDS = [
  "AssayPlatesRegistered",
  "BatchApprovalGiven",
  "BatchEdited",
  "BlackoutAdded",
  "CampaignCreated",
  "InstrumentRegistered",
  "JobInDoubt",
  "LaboratoryStopped",
  "LibraryRegistered",
  "ModelVersionPromoted",
  "NotificationOpened",
  "PlateQuarantined",
  "ReconciliationOpened",
  "RoundHeld",
  "StockCounted",
  "TickSkipped",
];

test.each(KINDS)("%s makes something on a page old", (kind) => {
  expect(renewedBy(kind).length).toBeGreaterThan(1);
});

/** A page that shows these reads: each is quick at first, takes so long when it is renewed, and is counted. */
function pageWith(client: QueryClient, reads: [key: unknown[], takes: number, staleTime?: StaleTime][]) {
  const begun: Record<string, number> = {};
  const ended: Record<string, number> = {};
  const leave = reads.map(([queryKey, takes, staleTime = 2_000]) => {
    const name = String(queryKey[0]);
    const queryFn = async ({ signal }: { signal: AbortSignal }) => {
      begun[name] = (begun[name] ?? 0) + 1;
      await new Promise((resolve) => setTimeout(resolve, begun[name] === 1 ? 1 : takes));
      if (!signal.aborted) ended[name] = (ended[name] ?? 0) + 1;
      return name;
    };
    return new QueryObserver(client, { queryKey, queryFn, staleTime }).subscribe(() => {});
  });
  return { begun, ended, leave: () => leave.forEach((off) => void off()) };
}

test("a burst of events renews each read once", async () => {
  const client = new QueryClient();
  const { ended, leave } = pageWith(client, [
    [["jobs"], 1],
    [["progress"], 1],
    [["campaigns"], 1],
  ]);
  await vi.advanceTimersByTimeAsync(10);
  const renewer = makeRenewer(client);
  for (let position = 1; position <= 500; position++) {
    renewer.take({ kind: "JobSucceeded", position } as SealedEvent);
  }
  await vi.advanceTimersByTimeAsync(5_000);
  expect(ended).toEqual({ jobs: 2, progress: 2, campaigns: 1 });
  renewer.stop();
  leave();
});

test("a slow read comes to its end however many events there are, and is read once more after it", async () => {
  const client = new QueryClient();
  const { begun, ended, leave } = pageWith(client, [
    [["jobs"], 3_000],
    [["progress"], 1],
  ]);
  await vi.advanceTimersByTimeAsync(10);
  const renewer = makeRenewer(client);
  for (let at = 0; at < 3_500; at += 100) {
    renewer.take({ kind: "JobSucceeded" } as SealedEvent);
    await vi.advanceTimersByTimeAsync(100);
  }
  expect([begun.jobs, ended.jobs]).toEqual([2, 1]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([begun.jobs, ended.jobs]).toEqual([3, 2]);
  const quick = begun.progress;
  await vi.advanceTimersByTimeAsync(10_000);
  expect([begun.jobs, ended.jobs]).toEqual([3, 3]);
  // Only what was late is read again, not what has its name besides.
  expect(begun.progress).toBe(quick);
  renewer.stop();
  leave();
});

test("what is static is read once, until it is another record", async () => {
  const client = new QueryClient();
  const { ended, leave } = pageWith(client, [
    [["plates"], 1, "static"],
    [["session"], 1, Infinity],
  ]);
  await vi.advanceTimersByTimeAsync(10);
  const renewer = makeRenewer(client);
  renewer.take({ kind: "PlatePassed" } as SealedEvent);
  await vi.advanceTimersByTimeAsync(1_000);
  renewAll(client);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(ended).toEqual({ plates: 1, session: 1 });
  beginAnew(client);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(ended).toEqual({ plates: 2, session: 2 });
  renewer.stop();
  leave();
});

test("what was read before the end of the record was known is read again, what never changes is not", async () => {
  const client = new QueryClient();
  const reads: string[] = [];
  const watch = (name: string, staleTime: number) => {
    const queryFn = () => {
      reads.push(name);
      return name;
    };
    return new QueryObserver(client, { queryKey: [name], queryFn, staleTime }).subscribe(() => {});
  };
  const leave = [watch("batches", 2_000), watch("round-names", Number.POSITIVE_INFINITY)];
  await vi.advanceTimersByTimeAsync(10);
  renewAll(client);
  await vi.advanceTimersByTimeAsync(10);
  expect(reads).toEqual(["batches", "round-names", "batches"]);
  for (const off of leave) off();
});
