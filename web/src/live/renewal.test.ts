import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SealedEvent } from "../api/types.ts";
import { makeRenewer, renewAll, renewedBy } from "./renewal.ts";

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

test("a burst of events renews each read once", () => {
  const client = new QueryClient();
  const renewed = vi.spyOn(client, "invalidateQueries").mockResolvedValue();
  const renewer = makeRenewer(client);
  for (let position = 1; position <= 500; position++) {
    renewer.take({ kind: "JobSucceeded", position } as SealedEvent);
  }
  vi.advanceTimersByTime(5_000);
  const names = renewed.mock.calls.map(([filter]) => filter?.queryKey?.[0]);
  expect(names).toEqual([
    "jobs",
    "progress",
    "tasks",
    "plates",
    "by-hand",
    "stock",
    "lately",
    "why",
    "standstills",
  ]);
  renewer.stop();
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
