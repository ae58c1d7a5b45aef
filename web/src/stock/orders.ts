// What can be done to a plate of the stock by hand. The server decides; this only keeps the buttons few. Pure.

import type { StockPlateShown } from "../api/types.ts";
import type { StockOrder } from "./send.ts";
import { isStored } from "./words.ts";

type Plate = Pick<StockPlateShown, "role" | "state" | "at" | "confirmed" | "made_into">;

/** The orders that make sense for a plate that stands so, the nearest first. */
export function ordersFor({ state, at, confirmed, made_into }: Plate): StockOrder[] {
  // One that a scan or a person has seen in its place needs nobody to find it.
  const found: StockOrder[] = isStored(at) && confirmed ? [] : ["found"];
  switch (state) {
    case "available":
      return isStored(at) ? ["withdraw", ...found] : [...found, "withdraw"];
    case "reserved":
      return found;
    case "withdrawn":
      // A job may have brought it home since: then its place is still taken.
      return [...(made_into ? [] : ["put-back" as const]), ...(at ? ["withdraw" as const] : [])];
    default:
      return [];
  }
}

/** Why its wells cannot be counted now; `null`: they can. */
export function whyNotCounted({ role, state, at }: Plate): string | null {
  if (role !== "library") return "only source plates are counted";
  if (state !== "available") return `it is ${state}`;
  if (!at) return "nobody knows where it stands: say first that it was found";
  return isStored(at) ? null : "it is counted when it is back in storage";
}

type Words = {
  verb: string;
  does: string;
  button: string;
  done: string;
  danger?: boolean;
};

export const ORDER_WORDS: Record<StockOrder, Words> = {
  withdraw: {
    verb: "Withdraw",
    does: "It is out of the laboratory: empty, contaminated, lost. Nothing is planned with it any more, and its place is free. What was drawn from it stays known.",
    button: "Withdraw it",
    done: "It is withdrawn.",
    danger: true,
  },
  "put-back": {
    verb: "Put back",
    does: "It stands in its place in storage again, and rounds are planned with it. Count it when its volumes may have changed.",
    button: "Put it back",
    done: "It is back in storage.",
  },
  found: {
    verb: "Found in storage",
    does: "You saw it, or carried it, in its place in storage: the record says so from now on.",
    button: "It stands in storage",
    done: "It stands in storage.",
  },
};
