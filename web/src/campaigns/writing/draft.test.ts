import { expect, test } from "vitest";
import { begin, EMPTY, isUnsaved, keepDraft, readDraft } from "./draft.ts";

function storage(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  } as unknown as Storage;
}
const stored = { "genes.csv": { sha256: "a".repeat(64), title: "genes.csv", size: 12 } };

test("a draft comes back to whoever wrote it, and to nobody else", () => {
  const tab = storage();
  const draft = { ...EMPTY, toml: 'name = "x"', stored };
  keepDraft(tab, "ana", draft);
  expect(readDraft(tab, "ana")).toEqual(draft);
  expect(readDraft(tab, "ben")).toEqual(EMPTY);
  keepDraft(tab, "ana", EMPTY);
  expect(readDraft(tab, "ana")).toEqual(EMPTY);
});

test("a tab that holds something else, or nothing, or allows nothing, begins empty", () => {
  const tab = storage();
  tab.setItem("loopwright.campaign-draft.ana", "{not json");
  expect(readDraft(tab, "ana")).toEqual(EMPTY);
  tab.setItem("loopwright.campaign-draft.ana", "[1]");
  expect(readDraft(tab, "ana")).toEqual(EMPTY);
  const full = {
    ...tab,
    setItem: () => {
      throw new DOMException("full", "QuotaExceededError");
    },
  };
  expect(() => keepDraft(full as Storage, "ana", { ...EMPTY, toml: "x" })).not.toThrow();
});

test("only what is nowhere else is unsaved", () => {
  const begun = begin(EMPTY, { toml: "a = 1" });
  expect(isUnsaved(EMPTY)).toBe(false);
  expect(isUnsaved(begun)).toBe(false);
  expect(isUnsaved({ ...begun, toml: "a = 2" })).toBe(true);
  expect(isUnsaved({ ...begun, toml: " \n" })).toBe(false);
});

test("files that were sent stay for the same file of the disk, and never for another campaign", () => {
  const opened = { ...begin(EMPTY, { toml: "a", title: "campaign.toml" }), stored };
  expect(begin(opened, { toml: "b", title: "campaign.toml" }).stored).toEqual(stored);
  expect(begin(opened, { toml: "b", title: "other.toml" }).stored).toEqual({});
  expect(begin({ ...opened, title: null }, { toml: "b" }).stored).toEqual({});
});
