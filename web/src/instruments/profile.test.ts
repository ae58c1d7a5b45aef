import { expect, test } from "vitest";
import { profileWords } from "./profile.ts";

test("a profile is read as a list of what there is", () => {
  expect(profileWords({ slots: 44 })).toBe("44 slots");
  expect(profileWords({ slots: 1 })).toBe("1 slot");
  expect(profileWords({ destination_slot: "1", source_slots: ["2", "3"] })).toBe(
    "destination slot 1, 2 source slots",
  );
  expect(profileWords(null)).toBe("–");
});
