import { expect, test } from "vitest";
import type { CampaignProgress, Job, PlateLine, Task } from "../api/types.ts";
import { batch, plate, stepByHand } from "../tests/made.ts";
import { eventLink, isOfNote } from "./lately.ts";
import { needs } from "./needs.ts";

const nothing = { batches: [], doubts: [], plates: [], campaigns: [], hands: [], tasks: [] };
const job = {
  id: "j9",
  kind: "dispense",
  queue: "bench",
  instrument: "ot2",
  state: "in_doubt",
  created_at: "2026-01-05T08:00:00Z",
  priority: 0,
} as Job;
const task = (subject_id: string, cause: string): Task => ({
  id: `t-${subject_id}`,
  cause,
  message: "Look at it.",
  subject: "job",
  subject_id,
  opened_at: "2026-01-05T08:00:00Z",
});
const held = {
  campaign_id: "c1",
  name: "demo",
  rounds: [{ round_id: "r1", number: 2, state: "held", reason: "The pool is exhausted." }],
} as unknown as CampaignProgress;

test("nothing waits when nothing does", () => {
  expect(needs(nothing)).toEqual([]);
});

test("what may be wrong in the laboratory comes before what is merely late", () => {
  const quarantined = plate({ id: "p9", state: "quarantined", reason: "Z' is 0.1" }) as PlateLine;
  const list = needs({
    ...nothing,
    batches: [batch({ round_id: "r2" })],
    doubts: [job],
    plates: [quarantined],
    campaigns: [held],
  });
  expect(list.map((it) => it.kind)).toEqual(["doubt", "plate", "held", "batch"]);
  expect(list[0]?.title).toBe("Dispense on ot2 is in doubt");
  expect(list[2]?.detail).toBe("The pool is exhausted.");
});

test("a task whose subject is shown already is not shown twice", () => {
  const list = needs({
    ...nothing,
    doubts: [job],
    tasks: [task("j9", "job.in_doubt"), task("j10", "job.failed")],
  });
  expect(list.map((it) => it.title)).toEqual(["Dispense on ot2 is in doubt", "Job failed"]);
});

test("steps for hands come after what only a decision moves, and before tasks", () => {
  const step = stepByHand({ instruction: "Seal the plate with foil.", campaign: "demo", round: 2 });
  const list = needs({
    ...nothing,
    doubts: [job],
    batches: [batch({ round_id: "r2" })],
    hands: [step, stepByHand({ id: "s2", state: "running" })],
    tasks: [task("j10", "job.failed"), task(step.id, "job.waits")],
  });
  expect(list.map((it) => it.kind)).toEqual(["doubt", "batch", "hand", "task"]);
  expect(list[2]).toMatchObject({
    title: "Seal the plate with foil waits for hands",
    detail: "P-1 · demo, round 2",
    link: { to: "/by-hand" },
  });
});

test("many steps for hands are one thing that waits", () => {
  const hands = ["a", "b", "c", "d"].map((id) => stepByHand({ id }));
  expect(needs({ ...nothing, hands: hands.slice(1) })).toHaveLength(3);
  const list = needs({ ...nothing, hands });
  expect(list.map((it) => it.title)).toEqual(["4 steps wait for hands"]);
  expect(list[0]?.detail).toBe("Seal the plate waits longest: P-1 · demo, round 1");
});

test("a batch whose round is held waits with it, and not beside it", () => {
  const list = needs({ ...nothing, batches: [batch({ round_id: "r1" })], campaigns: [held] });
  expect(list.map((it) => it.kind)).toEqual(["held"]);
});

test("a batch says how many plates it is, and why one cannot approve it", () => {
  const approval = {
    needed: 2,
    given: 1,
    roles: [],
    may_approve: false,
    why_not: "You edited it.",
    expires_lab_at: null,
    editors: ["ada"],
  };
  const [need] = needs({ ...nothing, batches: [batch({ approval })] });
  expect(need?.detail).toBe("2 experiments · on 1 plate · 1 of 2 approvals given · You edited it.");
});

test("what happened lately leaves out the machinery, and leads to its subject", () => {
  const kinds = [
    "BatchApproved",
    "JobSucceeded",
    "PlatePassed",
    "PlatePlanned",
    "RoundClosed",
    "SessionsEnded",
    "JobInDoubt",
  ];
  expect(kinds.filter((kind) => isOfNote({ kind }))).toEqual([
    "BatchApproved",
    "PlatePassed",
    "RoundClosed",
    "JobInDoubt",
  ]);
  expect(eventLink({ kind: "PlatePassed", subject: "plate", subject_id: "p1" })).toEqual({
    to: "/plates/$plateId",
    params: { plateId: "p1" },
  });
  expect(eventLink({ kind: "RoundClosed", subject: "round", subject_id: "r1", campaign_id: "c1" })).toEqual({
    to: "/campaigns/$campaignId",
    params: { campaignId: "c1" },
  });
  expect(eventLink({ kind: "StockFound", subject: "inventory", subject_id: "LIB-1" })).toEqual({
    to: "/stock/$barcode",
    params: { barcode: "LIB-1" },
  });
  expect(eventLink({ kind: "UserCreated", subject: "user", subject_id: "u1" })).toBeNull();
});
