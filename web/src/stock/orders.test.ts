import { expect, test } from "vitest";
import { ordersFor, whyNotCounted } from "./orders.ts";

const PLACES = [
  ["in storage, seen", "storage/P", true],
  ["in storage, expected", "storage/P", false],
  ["on a device", "handler-1/4", true],
  ["nowhere", null, null],
] as const;

test("the whole table: what is offered in each state, wherever it stands", () => {
  const lines = (["available", "reserved", "used", "withdrawn"] as const).flatMap((state) =>
    PLACES.map(([place, at, confirmed]) => {
      const plate = { role: "library" as const, state, at, confirmed, made_into: null };
      return `${state}, ${place}: ${ordersFor(plate).join(" ") || "-"}; ${whyNotCounted(plate) ?? "count"}`;
    }),
  );
  expect(`\n${lines.join("\n")}\n`).toMatchInlineSnapshot(`
    "
    available, in storage, seen: withdraw; count
    available, in storage, expected: withdraw found; count
    available, on a device: found withdraw; it is counted when it is back in storage
    available, nowhere: found withdraw; nobody knows where it stands: say first that it was found
    reserved, in storage, seen: -; it is reserved
    reserved, in storage, expected: found; it is reserved
    reserved, on a device: found; it is reserved
    reserved, nowhere: found; it is reserved
    used, in storage, seen: -; it is used
    used, in storage, expected: -; it is used
    used, on a device: -; it is used
    used, nowhere: -; it is used
    withdrawn, in storage, seen: put-back withdraw; it is withdrawn
    withdrawn, in storage, expected: put-back withdraw; it is withdrawn
    withdrawn, on a device: put-back withdraw; it is withdrawn
    withdrawn, nowhere: put-back; it is withdrawn
    "
  `);
});

test("a blank plate that a round took is not put back, and blank plates are not counted", () => {
  const plate = { role: "assay", state: "withdrawn", at: null, confirmed: null, made_into: "p1" } as const;
  expect(ordersFor(plate)).toEqual([]);
  expect(whyNotCounted({ ...plate, state: "available" })).toBe("only source plates are counted");
});
