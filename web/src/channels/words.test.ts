import { describe, expect, test } from "vitest";
import type { Channel } from "../api/types.ts";
import { testWords, toldWords } from "./words.ts";

const channel = (over: Partial<Channel>) =>
  ({ topics: [], minimum_severity: "info", escalation_level: 0, ...over }) as Channel;

describe("what a channel is told", () => {
  test("everything, when nothing narrows it", () => {
    expect(toldWords(channel({}))).toBe("everything");
  });
  test("by severity, by topic, and only once nobody answered", () => {
    expect(toldWords(channel({ minimum_severity: "critical" }))).toBe("only what is critical");
    expect(toldWords(channel({ topics: ["job.in_doubt"], minimum_severity: "warning" }))).toBe(
      "A job is in doubt (warnings and worse)",
    );
    expect(toldWords(channel({ escalation_level: 2 }))).toBe(
      "everything, when nobody acknowledges (escalation 2)",
    );
  });
});

describe("how a test went", () => {
  test("says nothing while it is on its way", () => {
    expect(testWords({ state: "pending", last_error: null })).toBeNull();
  });
  test("says the receiver's reason, and whether it is tried again", () => {
    expect(testWords({ state: "pending", last_error: "502." })).toBe("Not yet: 502. It is tried again.");
    expect(testWords({ state: "pending", last_error: "refused" })).toBe(
      "Not yet: refused. It is tried again.",
    );
    expect(testWords({ state: "dead", last_error: "410" })).toContain("not tried again: 410");
    expect(testWords({ state: "delivered", last_error: null })).toBe("It arrived.");
  });
});
