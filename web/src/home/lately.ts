import { queryOptions } from "@tanstack/react-query";
import type { LinkProps } from "@tanstack/react-router";
import { eventsAfter } from "../api/queries.ts";
import type { SealedEvent } from "../api/types.ts";
import { endOfRecord } from "../live/position.ts";
import { barcodeOf } from "../stock/words.ts";

const SHOWN = 9;
/** Behind each round stand dozens of jobs: so far back is looked for what people care about. */
const LOOKED_AT = 120;

/** Events that say something to a scientist; jobs, moves and sessions have pages of their own. */
export const isOfNote = (event: Pick<SealedEvent, "kind">) =>
  /^(Batch|Round|Campaign|ModelVersion(Promoted|Rejected)|Plate(Passed|Quarantined|Released|Rejected|Lost)|Job(InDoubt|Failed))/.test(
    event.kind,
  );

export const latelyQuery = queryOptions({
  queryKey: ["lately"],
  queryFn: async ({ signal }) => {
    const last = await endOfRecord(signal);
    const events = await eventsAfter(Math.max(0, last - LOOKED_AT), LOOKED_AT, signal);
    return events.filter(isOfNote).slice(-SHOWN).reverse();
  },
});

/** Where an event's subject stands. */
export function eventLink(
  event: Pick<SealedEvent, "kind" | "subject" | "subject_id" | "campaign_id">,
): LinkProps | null {
  const id = event.subject_id;
  const barcode = barcodeOf(event);
  if (barcode !== null) return { to: "/stock/$barcode", params: { barcode } };
  switch (event.subject) {
    case "batch":
      return { to: "/batches/$batchId", params: { batchId: id } };
    case "plate":
      return { to: "/plates/$plateId", params: { plateId: id } };
    case "job":
      return { to: "/jobs/$jobId", params: { jobId: id } };
    default:
      return event.campaign_id
        ? { to: "/campaigns/$campaignId", params: { campaignId: event.campaign_id } }
        : null;
  }
}
