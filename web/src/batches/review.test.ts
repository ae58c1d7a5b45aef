import { describe, expect, test } from "vitest";
import { batch, draft, proposal } from "../tests/made.ts";
import { advance, begin, changeSummary, changes, isBehind, planChange, type Snapshot } from "./review.ts";

const at = (revision: number, selected: string[], others: Snapshot["proposals"] = []): Snapshot => ({
  batch: batch({ revision, selected: selected.length }),
  proposals: [...selected.map((id) => proposal(id)), ...others],
});
const planned = (revision: number, plan: ReturnType<typeof draft> | null): Snapshot => ({
  batch: batch({ revision, draft: plan }),
  proposals: [proposal("a")],
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

  test("says that the stock made the plan another one, until the reviewer has looked at it", () => {
    const begun = begin(planned(4, draft("0", { plates: 4 })));
    const computing = advance(begun, { kind: "told", snapshot: planned(5, null) });
    expect(planChange(computing)).toBeNull();
    const told = advance(computing, { kind: "told", snapshot: planned(5, draft("1", { plates: 6 })) });
    expect(isBehind(told)).toBe(false);
    expect(told.seen.batch.revision).toBe(5);
    expect(planChange(told)).toMatchObject({ before: { plates: 4 }, now: { plates: 6 } });
    const looked = advance(told, { kind: "looked at the plan" });
    expect(planChange(looked)).toBeNull();
    // And back again: that is another one as well.
    const back = advance(looked, { kind: "told", snapshot: planned(6, draft("0", { plates: 4 })) });
    expect(planChange(back)).toMatchObject({ before: { plates: 6 }, now: { plates: 4 } });
  });

  test("asks for no look at a plan that is the same, the first, or that of one's own change", () => {
    const expired = advance(begin(planned(1, draft("0"))), {
      kind: "told",
      snapshot: planned(2, draft("0")),
    });
    expect(planChange(expired)).toBeNull();
    const first = advance(begin(planned(1, null)), { kind: "told", snapshot: planned(1, draft("0")) });
    expect(planChange(first)).toBeNull();
    const edited = { batch: batch({ revision: 2, draft: null }), proposals: [gone("a", "mine")] };
    const told = advance(begin(planned(1, draft("0"))), { kind: "told", snapshot: edited });
    const mine = advance(told, { kind: "mine", from: 1, to: 2, removed: ["a"] });
    const after = { ...edited, batch: batch({ revision: 2, draft: draft("1") }) };
    expect(planChange(advance(mine, { kind: "told", snapshot: after }))).toBeNull();
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
