import { expect, test } from "vitest";
import { ordersFor } from "./offered.ts";
import type { SubjectKind } from "./types.ts";

const STATES: Record<SubjectKind, string[]> = {
  campaign: ["active", "draining", "paused", "finished", "cancelled"],
  round: ["proposing", "executing", "held", "closed", "cancelled", "failed"],
  job: ["waiting", "ready", "leased", "running", "stopping", "in_doubt", "succeeded"],
  instrument: ["in_service", "draining", "maintenance", "retired"],
};

test("the whole table: what is offered in each state", () => {
  const lines = Object.entries(STATES).flatMap(([kind, states]) =>
    states.map((state) => `${kind} ${state}: ${ordersFor(kind as SubjectKind, state).join(" ") || "-"}`),
  );
  expect(`\n${lines.join("\n")}\n`).toMatchInlineSnapshot(`
    "
    campaign active: pause drain cancel
    campaign draining: pause resume cancel
    campaign paused: resume drain cancel
    campaign finished: -
    campaign cancelled: -
    round proposing: pause drain cancel
    round executing: pause drain cancel
    round held: resume drain cancel
    round closed: -
    round cancelled: -
    round failed: -
    job waiting: pause cancel
    job ready: pause cancel
    job leased: pause cancel
    job running: drain cancel
    job stopping: -
    job in_doubt: -
    job succeeded: -
    instrument in_service: pause drain cancel
    instrument draining: pause resume cancel
    instrument maintenance: resume cancel
    instrument retired: -
    "
  `);
});

test("what a person held can be let go on, also where nothing else can be done any more", () => {
  expect(ordersFor("round", "executing", "pause")).toEqual(["resume", "drain", "cancel"]);
  expect(ordersFor("round", "executing", "drain")).toEqual(["pause", "resume", "cancel"]);
  expect(ordersFor("job", "ready", "pause")).toEqual(["resume", "cancel"]);
  expect(ordersFor("job", "succeeded", "drain")).toEqual(["resume"]);
});
