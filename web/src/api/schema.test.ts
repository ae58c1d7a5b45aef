import { expect, test } from "vitest";
// @ts-expect-error: a script without types
import { committed, generate } from "../../scripts/api-types.mjs";

test("the types are those of docs/openapi.json", async () => {
  const fresh: string = await generate();
  expect(fresh === (await committed()), "run `npm run types` in web/ and commit src/api/schema.d.ts").toBe(
    true,
  );
}, 30_000);
