import { expect, test } from "vitest";
import type { JobDetail } from "../api/types.ts";
import { evidenceOf, reportWords, tallyOf } from "./evidence.ts";

const transfer = (well: string) => ({
  destination_barcode: "ASY-0001",
  destination_well: well,
  source_barcode: "LIB-0001",
  source_well: "A1",
  volume_nl: 1000,
});
const succeeded = {
  ended: "succeeded",
  output: {
    kind: "dispense",
    result: {
      transfers: [
        { index: 0, actual_nl: 1002, error: null },
        { index: 1, actual_nl: null, error: "no liquid found" },
      ],
    },
  },
};
const doubtful = (over: Partial<JobDetail> = {}) =>
  ({
    kind: "dispense",
    state: "in_doubt",
    payload: { transfers: [transfer("A1"), transfer("A2"), transfer("A3")] },
    output: null,
    attempts: [],
    reports: [],
    in_doubt: {
      attempt: 1,
      since: "2026-01-05T08:00:00Z",
      known: {
        why: "reported_unknown",
        failure: { code: "opentrons.stopped_midway", message: "2 of 3 transfers were dispensed." },
        progress: { message: "transfer 2 of 3", fraction: 0.66 },
        worker: "demo-handler-1",
        claims: "succeeded",
      },
    },
    ...over,
  }) as unknown as JobDetail;

test("what is known is told apart: why, the device's words, how far it came, and the rest as it is", () => {
  const evidence = evidenceOf(doubtful());
  expect(evidence).toMatchObject({
    why: "Its agent itself cannot say how it ended.",
    device: { message: "2 of 3 transfers were dispensed.", code: "opentrons.stopped_midway" },
    progress: { message: "transfer 2 of 3", fraction: 0.66 },
    rest: { claims: "succeeded" },
    offered: null,
  });
  expect(tallyOf(evidence.transfers)).toEqual({ intended: 3, moved: 0, failed: 0, nothing: 3 });
});

test("a report that came late is set beside what was intended, transfer by transfer", () => {
  const reports = [
    {
      by: "demo-handler-1",
      received_at: "2026-01-05T09:00:00Z",
      disposition: "kept_as_evidence",
      outcome: succeeded,
    },
  ];
  const { transfers, offered } = evidenceOf(doubtful({ reports }));
  expect(transfers.map((it) => [it.destination_well, it.said, it.actual_nl, it.error])).toEqual([
    ["A1", "moved", 1002, null],
    ["A2", "failed", null, "no liquid found"],
    ["A3", "nothing", null, null],
  ]);
  expect(tallyOf(transfers)).toEqual({ intended: 3, moved: 1, failed: 1, nothing: 1 });
  expect(offered).toEqual({ by: "demo-handler-1", at: "2026-01-05T09:00:00Z" });
});

test("nothing known, and things of another shape, break nothing", () => {
  const bare = evidenceOf(doubtful({ in_doubt: null, payload: "?", kind: "move" }));
  expect(bare).toMatchObject({ device: null, progress: null, transfers: [], rest: {} });
  expect(evidenceOf(doubtful({ payload: null })).transfers).toEqual([]);
});

test("each report is told in a line", () => {
  expect(reportWords(succeeded)).toBe("It succeeded, with what it brought.");
  expect(reportWords({ ended: "unknown", failure: { message: "no record" } })).toBe(
    "It cannot say: no record",
  );
  expect(reportWords({ ended: "stopped", note: "before any liquid was touched" })).toBe(
    "It was stopped at a safe point: before any liquid was touched.",
  );
  expect(reportWords(null)).toMatch(/does not know/);
});
