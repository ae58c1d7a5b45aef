import { expect, test } from "vitest";
import type { VirtualExperiment } from "../api/types.ts";
import { experimentsOf, notesOf } from "./experiments.ts";

test("a line is an experiment, and the same line twice is one", () => {
  expect(experimentsOf(" CBLB \n\nCBLB+RASA2\nCBLB", "donor1")).toEqual([
    { perturbation: "CBLB", context: "donor1" },
    { perturbation: "CBLB+RASA2", context: "donor1" },
  ]);
});

test("what is said of several is said once", () => {
  const said = (perturbation: string, note: string) => ({ perturbation, note }) as VirtualExperiment;
  expect(notesOf([said("A", "known"), said("B", "new"), said("C", "known")])).toEqual([
    { note: "known", names: ["A", "C"] },
    { note: "new", names: ["B"] },
  ]);
});
