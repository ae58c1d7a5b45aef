import { expect, test } from "vitest";
import { emptyRejectForm, rejectFault, rejectionOf } from "./RejectDialog.tsx";

test("a rejection needs a reason, and names what it excludes unless that is everything", () => {
  expect(rejectFault(emptyRejectForm)).toMatch(/why/i);
  const all = { ...emptyRejectForm, reason: " too few pairs " };
  expect(rejectFault(all)).toBeNull();
  expect(rejectionOf(all)).toEqual({ reason: "too few pairs", exclude: [] });
  const none = { ...all, everything: false };
  expect(rejectFault(none)).toMatch(/Name what/);
  const some = { ...none, experiments: ["A@D1"], genes: ["TP53"], tags: ["kinase"] };
  expect(rejectFault(some)).toBeNull();
  expect(rejectionOf(some)).toEqual({
    reason: "too few pairs",
    exclude: ["A@D1"],
    exclude_genes: ["TP53"],
    exclude_tags: ["kinase"],
  });
});
