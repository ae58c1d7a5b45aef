import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { answer, api, freshKey } from "../../api/client.ts";
import { problemOf } from "../../api/problem.ts";
import { campaignQuery } from "../../api/queries.ts";
import type { Campaign, NewCampaign } from "../../api/types.ts";
import { say } from "../../display/said.ts";
import { makeKeys } from "./request.ts";

/** Creates the campaign and goes to its page. What it was refused with is told as long as the request is the same. */
export function useCreate(body: NewCampaign, forget: () => void) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [keyOf] = useState(() => makeKeys(freshKey));
  const creating = useMutation({
    mutationFn: (sent: NewCampaign) =>
      answer<Campaign>(
        api.POST("/api/v1/campaigns", { params: { header: { "idempotency-key": keyOf(sent) } }, body: sent }),
      ),
    onSuccess: async (campaign) => {
      forget();
      client.setQueryData(campaignQuery(campaign.id).queryKey, campaign);
      say(`Campaign ${campaign.name} is created.`);
      await navigate({ to: "/campaigns/$campaignId", params: { campaignId: campaign.id } });
      await client.invalidateQueries({ queryKey: ["campaigns"] });
    },
  });
  const isOfNow = JSON.stringify(creating.variables) === JSON.stringify(body);
  const error = isOfNow ? creating.error : null;
  return {
    create: () => creating.mutate(body),
    isPending: creating.isPending || creating.isSuccess,
    error,
    /** What the server found in the text beside what its check had found. */
    problems: (error && problemOf(error).errors) ?? [],
  };
}
