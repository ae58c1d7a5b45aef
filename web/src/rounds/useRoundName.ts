import { queryOptions, useQuery } from "@tanstack/react-query";
import { answer, api } from "../api/client.ts";
import { campaignsQuery } from "../api/queries.ts";
import type { Round } from "../api/types.ts";

/** A round's number and campaign never change: read once, whatever happens in the round. */
const placeOf = (id: string) =>
  queryOptions({
    queryKey: ["round-names", id],
    queryFn: async ({ signal }) => {
      const round = await answer<Round>(api.GET("/api/v1/rounds/{id}", { params: { path: { id } }, signal }));
      return { number: round.number, campaign: round.campaign_id };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });

export type RoundName = { number: number; campaign: string; campaignName: string };

/** How people call a round: its number and its campaign's name. `undefined` while it is on its way. */
export function useRoundName(id: string | null | undefined): RoundName | undefined {
  const { data: place } = useQuery({ ...placeOf(id ?? ""), enabled: Boolean(id) });
  const { data: campaigns } = useQuery(campaignsQuery);
  if (!place) return undefined;
  const campaign = campaigns?.items.find((it) => it.id === place.campaign);
  return { ...place, campaignName: campaign?.name ?? "" };
}
