import { describe, expect, test } from "vitest";
import type { CampaignSpec, Grant, Project } from "../../api/types.ts";
import type { Row } from "./files.ts";
import { priorWarning } from "./priors.ts";
import { projectOf, writableProjects } from "./projects.ts";
import { whyNot } from "./ready.ts";
import { makeKeys, requestOf } from "./request.ts";

const row = (name: string, rest: object) => ({ name, fields: ["f"], ...rest }) as Row;
const right = { isBlank: false, isFailed: false, problems: 0, rows: [] };

describe("a campaign is created once", () => {
  test.each([
    [{ ...right, isBlank: true, problems: null }, "There is no text yet."],
    [{ ...right, problems: null }, "The text is being checked."],
    [{ ...right, problems: null, isFailed: true }, "The text could not be checked."],
    [{ ...right, problems: 2 }, "The text has 2 problems."],
    [{ ...right, rows: [row("g.csv", { state: "missing" })] }, "g.csv is missing."],
    [
      { ...right, rows: [row("g.csv", { state: "missing" }), row("f.csv", { state: "missing" })] },
      "2 files are missing: g.csv, f.csv.",
    ],
    [
      { ...right, rows: [row("g.csv", { state: "missing" }), row("f.csv", { state: "failed", why: "" })] },
      "f.csv was not stored.",
    ],
    [{ ...right, rows: [row("g.csv", { state: "sending" })] }, "g.csv is on its way."],
    [{ ...right, rows: [row("g.csv", { state: "stored", sha256: "s" })] }, null],
  ])("its text is right and its files are there (%#)", (standing, reason) =>
    expect(whyNot(standing)).toBe(reason),
  );
});

test("a request names the files by the campaign's names, and a repeat of it has its key", () => {
  const rows = [row("g.csv", { state: "stored", sha256: "s", title: "mine.csv", size: 1 })];
  expect(requestOf("a", rows, null)).toEqual({ toml: "a", files: { "g.csv": "s" } });
  let made = 0;
  const keyOf = makeKeys(() => `key ${++made}`);
  expect(keyOf(requestOf("a", rows, "p"))).toBe("key 1");
  expect(keyOf(requestOf("a", rows, "p"))).toBe("key 1");
  expect(keyOf(requestOf("b", rows, "p"))).toBe("key 2");
});

test("projects are offered to those who may create campaigns in them", () => {
  const projects = ["p", "q"].map((id) => ({ id, name: id })) as Project[];
  const grant = (role: Grant["role"], project_id: string | null): Grant => ({ role, project_id });
  const ids = (grants: Grant[]) => writableProjects(projects, grants).map((it) => it.id);
  expect(ids([grant("engineer", null)])).toEqual(["p", "q"]);
  expect(ids([grant("engineer", "q"), grant("scientist", null)])).toEqual(["q"]);
  expect(ids([grant("viewer", null)])).toEqual([]);
  expect(projectOf(projects, "q")).toBe("q");
  expect(projectOf(projects, "gone")).toBe("p");
  expect(projectOf([], "q")).toBeNull();
});

test("a prior is warned of where the campaign looks for studies or descriptions in it", () => {
  const spec = (model: object) => ({ model: { priors: ["p.csv"], ...model } }) as unknown as CampaignSpec;
  expect(priorWarning(spec({}))).toBeNull();
  expect(priorWarning(spec({ priors: [], exclude_prior_groups: ["x"] }))).toBeNull();
  expect(priorWarning(spec({ description: { cell: "", organism: "" } }))).toBeNull();
  expect(priorWarning(spec({ exclude_prior_groups: ["x"] }))).toMatch(
    /^model.exclude_prior_groups: .* its study in/,
  );
  expect(priorWarning(spec({ description: { cell: "T" }, exclude_prior_groups: ["x"] }))).toMatch(
    /^model.exclude_prior_groups and model.description: /,
  );
});
