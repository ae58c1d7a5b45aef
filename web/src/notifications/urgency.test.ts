import { expect, test } from "vitest";
import { byUrgency, unseen } from "./urgency.ts";

const one = (
  id: string,
  state: "open" | "acknowledged",
  severity: "info" | "warning" | "critical",
  hour: number,
) => ({ id, state, severity, opened_at: new Date(Date.UTC(2026, 0, 5, hour)).toISOString() });

test("what nobody has taken on comes first, the gravest of it before the rest, then the newest", () => {
  const list = [
    one("taken", "acknowledged", "critical", 9),
    one("old", "open", "warning", 7),
    one("news", "open", "info", 9),
    one("young", "open", "warning", 8),
    one("grave", "open", "critical", 6),
  ];
  expect(byUrgency(list).map((it) => it.id)).toEqual(["grave", "young", "old", "news", "taken"]);
  expect(unseen(list)).toBe(4);
});
