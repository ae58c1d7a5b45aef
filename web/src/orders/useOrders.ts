import { useQuery } from "@tanstack/react-query";
import type { Scope } from "../api/types.ts";
import { laboratoryQuery } from "../laboratory/queries.ts";
import { useMay, useMayEverywhere } from "../session/may.ts";
import { ordersFor } from "./offered.ts";
import type { Hold, Order, SubjectKind } from "./types.ts";

const NEEDS: Record<SubjectKind, Scope[]> = {
  campaign: ["campaign:write"],
  round: ["campaign:write"],
  job: ["job:resolve"],
  instrument: ["instrument:write", "job:resolve"],
};

/** What a server without holds and drains takes; it is known by having no stop of the laboratory either. */
const OLDER: Record<SubjectKind, ReadonlySet<Order>> = {
  campaign: new Set<Order>(["pause", "resume", "cancel"]),
  round: new Set<Order>(["pause", "resume", "cancel"]),
  job: new Set(),
  instrument: new Set(),
};

/** The orders that this person may give to what stands so. */
export function useOrders(kind: SubjectKind, state: string, hold: Hold | null = null): Order[] {
  const { data } = useQuery(laboratoryQuery);
  const may = useMay(...NEEDS[kind]);
  const everywhere = useMayEverywhere(...NEEDS[kind]);
  // Instruments belong to no project.
  if (!(kind === "instrument" ? everywhere : may)) return [];
  return ordersFor(kind, state, hold?.manner ?? null).filter((order) => data || OLDER[kind].has(order));
}
