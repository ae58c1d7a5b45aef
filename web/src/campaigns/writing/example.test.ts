import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EXAMPLE } from "./example.ts";

test("the example of the app is the one of the repository", () => {
  const original = join(import.meta.dirname, "../../../../examples/ifng-screen/campaign.toml");
  expect(EXAMPLE).toBe(readFileSync(original, "utf8"));
});
