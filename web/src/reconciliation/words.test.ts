import { expect, test } from "vitest";
import type { Party, Reconciliation } from "./types.ts";
import { becauseWords, closeFault, isOpen, lossWords, partyWords, patienceMs } from "./words.ts";

const party = (instrument: string, over: Partial<Party> = {}): Party => ({
  instrument,
  state: "awaited",
  since: "2026-01-05T08:00:00Z",
  ...over,
});
const made = (over: Partial<Reconciliation> = {}): Reconciliation => ({
  epoch: "7-1",
  opened_because: "failed_over",
  opened_at: "2026-01-05T08:00:00Z",
  unknown_reports: 0,
  orphan_reports: 0,
  jobs_in_doubt: 0,
  instruments: [party("handler-1"), party("reader-1", { state: "reconciled", offered: 2 })],
  ...over,
});

test("it is open until somebody closed it, and asked for often only so long", () => {
  expect(isOpen(made())).toBe(true);
  expect(isOpen(made({ closed_at: "2026-01-05T09:00:00Z" }))).toBe(false);
  expect(isOpen(null)).toBe(false);
  expect(patienceMs(null)).toBe(false);
  expect(patienceMs(made())).toBeLessThan(Number(patienceMs(made({ closed_at: "2026-01-05T09:00:00Z" }))));
});

test("it is not closed over somebody who has not told what it did", () => {
  expect(closeFault(made())).toBe("handler-1 has not told yet: start the agent, or excuse it with a reason.");
  expect(closeFault(made({ instruments: [party("handler-1", { state: "excused" })] }))).toBeNull();
});

test("each says how it stands, and what was lost is counted", () => {
  expect(partyWords(party("a", { state: "reconciled", offered: 1 }))).toBe("has told, offered 1 result");
  expect(partyWords(party("a", { state: "excused", by: "ada", excused_reason: "sold" }))).toBe(
    "excused by ada: sold",
  );
  expect(lossWords(made())).toBeNull();
  expect(lossWords(made({ unknown_reports: 1, jobs_in_doubt: 2 }))).toBe(
    "Something was lost: 1 report of work this database never gave, 2 jobs in doubt for a person.",
  );
  expect(becauseWords(made())).toBe("The database failed over to a standby");
  expect(becauseWords(made({ opened_because: "moved" }))).toContain("moved");
});
