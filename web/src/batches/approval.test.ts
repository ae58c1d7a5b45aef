import { expect, test } from "vitest";
import type { Batch, Round } from "../api/types.ts";
import { batch, proposal } from "../tests/made.ts";
import { approvalFault } from "./BatchReview.tsx";
import { begin } from "./review.ts";

const fault = (over: Partial<Batch>, held?: Pick<Round, "reason_code">) =>
  approvalFault(begin({ batch: batch(over), proposals: [proposal("a")] }), held);

const approval = { needed: 2, given: 1, roles: [], expires_lab_at: null, editors: [] };

test("the approve button says why it is off", () => {
  expect(fault({})).toBeNull();
  expect(fault({ state: "planned" })).toBe("it is planned.");
  expect(fault({ draft: null })).toMatch(/being computed/);
  const held = (reason_code: string) => fault({ draft: null }, { reason_code });
  expect(held("round.held_by_person")).toMatch(/^its round is held; it waits for the round to be resumed/);
  expect(held("approval.expired")).toMatch(/^its time for approval is over; it waits for the round/);
  expect(fault({ draft: { plan: "impossible", code: "plan.no_stock", reason: "no reagent" } })).toMatch(
    /cannot be carried out/,
  );
  expect(fault({ approval: { ...approval, may_approve: false, why_not: "You edited it." } })).toBe(
    "You edited it.",
  );
  expect(fault({ approval: { ...approval, may_approve: true, why_not: null } })).toBeNull();
});
