import { expect, test } from "vitest";
import { policyWords } from "./policy.ts";

const none = { admin: 0, engineer: 0, scientist: 0 };
const policy = {
  approvals: 1,
  auto_approve: false,
  auto_approve_limit: null,
  expires_hours: null,
  roles: none,
  self_approval: false,
};

test("one person, who did not edit alone", () => {
  expect(policyWords(policy, "EUR")).toEqual([
    "One person approves.",
    "Whoever edits a batch cannot be its only approver.",
  ]);
});

test("several roles and a time", () => {
  const strict = {
    ...policy,
    approvals: 2,
    roles: { ...none, engineer: 1, scientist: 1 },
    expires_hours: 96,
    self_approval: true,
  };
  expect(policyWords(strict, "EUR")).toEqual([
    "2 different people approve, among them 1 engineer, 1 scientist.",
    "It waits 96 h of laboratory time, then it must be looked at anew.",
  ]);
});

test("nobody, without or up to a limit", () => {
  const auto = { ...policy, auto_approve: true };
  expect(policyWords(auto, "EUR")).toEqual(["Approved without people."]);
  const limited = { ...auto, auto_approve_limit: { experiments: 96, plates: null, cost: 500 } };
  expect(policyWords(limited, "EUR").slice(0, 2)).toEqual([
    "Approved without people up to 96 experiments, €500.00; beyond it:",
    "One person approves.",
  ]);
});
