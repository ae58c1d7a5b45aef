import { describe, expect, test } from "vitest";
import { batch, proposal } from "../tests/made.ts";
import { advance, begin, changeSummary, changes, isBehind, type Snapshot } from "./review.ts";

const at = (revision: number, selected: string[], others: Snapshot["proposals"] = []): Snapshot => ({
  batch: batch({ revision, selected: selected.length }),
  proposals: [...selected.map((id) => proposal(id)), ...others],
});
const spare = (id: string) => proposal(id, { status: "runner_up" });
const gone = (id: string, why: string) => proposal(id, { status: "removed", removed_reason: why });

describe("a review", () => {
  test("keeps showing what was seen when somebody else changes the batch", () => {
    const begun = begin(at(1, ["a", "b"], [spare("c")]));
    const review = advance(begun, { kind: "told", snapshot: at(2, ["a", "c"], [gone("b", "toxic")]) });
    expect(review.seen.batch.revision).toBe(1);
    expect(isBehind(review)).toBe(true);
    expect(changes(review)).toEqual([
      { id: "c", name: "C in D1", by: "runner-up", reason: "probability of hit", what: "added" },
      { id: "b", name: "B in D1", by: "", reason: "toxic", what: "removed" },
    ]);
    expect(changeSummary(review)).toBe("1 removed, 1 added");
  });

  test("goes to the latest when the reviewer looks, and marks what is new", () => {
    const begun = begin(at(1, ["a", "b"], [spare("c")]));
    const told = advance(begun, { kind: "told", snapshot: at(3, ["a", "c"], [gone("b", "toxic")]) });
    const review = advance(told, { kind: "looked" });
    expect(isBehind(review)).toBe(false);
    expect(review.seen.batch.revision).toBe(3);
    expect([...review.fresh]).toEqual(["c"]);
  });

  test("shows at once what changes nothing of the content: an approval, the draft plan", () => {
    const begun = begin({ batch: batch({ revision: 4, draft: null }), proposals: [proposal("a")] });
    const review = advance(begun, { kind: "told", snapshot: at(4, ["a"]) });
    expect(review.seen.batch.draft?.plan).toBe("possible");
    expect(isBehind(review)).toBe(false);
  });

  test("shows at once that its time was over: a new revision of the same experiments", () => {
    const begun = begin(at(1, ["a", "b"], [spare("c")]));
    const review = advance(begun, { kind: "told", snapshot: at(2, ["a", "b"], [spare("c")]) });
    expect(isBehind(review)).toBe(false);
    expect(review.seen.batch.revision).toBe(2);
  });

  test("shows a change of one's own at once", () => {
    const begun = begin(at(1, ["a", "b"], [spare("c")]));
    const told = advance(begun, { kind: "told", snapshot: at(2, ["a", "c"], [gone("b", "mine")]) });
    const review = advance(told, { kind: "mine", from: 1, to: 2, removed: ["b"] });
    expect(isBehind(review)).toBe(false);
    expect([...review.fresh]).toEqual(["c"]);
  });

  test("holds back what others did right after a change of one's own", () => {
    const begun = begin(at(1, ["a", "b"], [spare("c"), spare("d")]));
    const after = at(3, ["c", "d"], [gone("b", "mine"), gone("a", "theirs")]);
    const told = advance(begun, { kind: "told", snapshot: after });
    const review = advance(told, { kind: "mine", from: 1, to: 2, removed: ["b"] });
    expect(review.seen.batch.revision).toBe(2);
    expect(isBehind(review)).toBe(true);
    expect(
      changes(review)
        .filter((it) => it.what === "removed")
        .map((it) => it.id),
    ).toEqual(["a"]);
  });

  test("does not take somebody else's change for its own", () => {
    const begun = begin(at(5, ["a"]));
    const told = advance(begun, { kind: "told", snapshot: at(6, ["b"]) });
    expect(isBehind(told)).toBe(true);
    expect(advance(told, { kind: "mine", from: 4, to: 6, removed: [] })).toBe(told);
  });

  test("is not set back by an answer that comes late", () => {
    const begun = begin(at(7, ["a"]));
    expect(advance(begun, { kind: "told", snapshot: at(6, ["a", "b"]) })).toBe(begun);
  });

  test("says that the batch was decided meanwhile", () => {
    const begun = begin(at(1, ["a"]));
    const decided = { ...at(2, ["a"]), batch: batch({ revision: 2, state: "rejected" }) };
    expect(changeSummary(advance(begun, { kind: "told", snapshot: decided }))).toBe("now rejected");
  });
});
