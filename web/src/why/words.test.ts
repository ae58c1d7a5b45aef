import { expect, test } from "vitest";
import type { Standstill } from "./types.ts";
import { isForPeople, sentence, standstillLink, standstillTitle, untold } from "./words.ts";

const still = (over: Partial<Standstill> = {}): Standstill => ({
  subject: "job",
  id: "j1",
  state: "ready",
  owner: "agent",
  since: "2026-01-05T08:00:00Z",
  reasons: [],
  told_otherwise: false,
  ...over,
});

test("the server's words become a sentence, and a sentence stays one", () => {
  expect(sentence("waits for capability read.plate: reader-1 in maintenance")).toBe(
    "Waits for capability read.plate: reader-1 in maintenance.",
  );
  expect(sentence("It has begun.")).toBe("It has begun.");
  expect(sentence(" ")).toBe("");
});

test("a standstill names its subject and leads to it", () => {
  expect(standstillTitle(still())).toBe("Job stands still: ready for too long");
  expect(standstillTitle(still({ subject: "instrument", id: "reader-1", state: "maintenance" }))).toBe(
    "reader-1: maintenance for too long",
  );
  expect(standstillLink(still())).toEqual({ to: "/jobs/$jobId", params: { jobId: "j1" } });
  expect(standstillLink(still({ subject: "round", campaign_id: "c1" }))).toEqual({
    to: "/campaigns/$campaignId",
    params: { campaignId: "c1" },
  });
  expect(standstillLink(still({ subject: "model" }))).toBeNull();
});

test("what home tells already as something of its own is not told twice", () => {
  expect(untold([still(), still({ id: "j2", told_otherwise: true })]).map((it) => it.id)).toEqual(["j1"]);
});

test("time and machines are nobody's task", () => {
  expect(isForPeople({ owner: "operator" })).toBe(true);
  expect(isForPeople({ owner: "calendar" })).toBe(false);
});
