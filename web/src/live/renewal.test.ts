import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SealedEvent } from "../api/types.ts";
import { makeRenewer, renewedBy } from "./renewal.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const KINDS = [
  "BatchApprovalGiven",
  "BatchEdited",
  "BlackoutAdded",
  "CampaignCreated",
  "InstrumentRegistered",
  "JobInDoubt",
  "ModelVersionPromoted",
  "NotificationOpened",
  "PlateQuarantined",
  "RoundHeld",
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
  expect(names).toEqual(["jobs", "progress", "tasks", "plates", "lately"]);
  renewer.stop();
});
