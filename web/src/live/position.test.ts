import { expect, test } from "vitest";
import { lastPosition } from "./position.ts";

test("the end of the record is found, in few looks", async () => {
  for (const end of [0, 1, 2, 63, 64, 65, 1_000, 123_456, 1_000_000]) {
    for (const hint of [0, end, Math.floor(end / 2), end + 10]) {
      let looks = 0;
      const found = await lastPosition(async (after) => {
        looks += 1;
        return end > after;
      }, hint);
      expect(found, `end ${end}, hint ${hint}`).toBe(end);
      expect(looks).toBeLessThan(45);
      if (hint === end && end > 0) expect(looks).toBeLessThanOrEqual(3);
    }
  }
});
