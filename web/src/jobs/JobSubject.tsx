import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Fragment, type ReactNode } from "react";
import { campaignsQuery, platesQuery } from "../api/queries.ts";
import type { Job } from "../api/types.ts";
import { useRoundName } from "../rounds/useRoundName.ts";

/** What a job is for: its plate by barcode, its round, or the campaign where there is no round yet. */
export function JobSubject({ job }: { job: Pick<Job, "plate_id" | "round_id" | "campaign_id"> }) {
  const round = useRoundName(job.round_id);
  const { data: campaigns } = useQuery(campaignsQuery);
  const plates = useQuery({
    ...platesQuery({ round: job.round_id ?? undefined }),
    enabled: Boolean(job.plate_id && job.round_id),
  });
  const plate = job.plate_id ? plates.data?.items.find((it) => it.id === job.plate_id) : undefined;
  const campaign = campaigns?.items.find((it) => it.id === job.campaign_id);
  const parts: [string, ReactNode][] = [];
  if (plate) {
    parts.push([
      plate.barcode,
      <Link key="plate" to="/plates/$plateId" params={{ plateId: plate.id }}>
        {plate.barcode}
      </Link>,
    ]);
  }
  const name = job.round_id ? round && `Round ${round.number}` : campaign?.name;
  const campaignId = round?.campaign ?? campaign?.id;
  if (name && campaignId) {
    parts.push([
      name,
      <Link key="round" to="/campaigns/$campaignId" params={{ campaignId }}>
        {name}
      </Link>,
    ]);
  }
  const all = [...parts.map(([text]) => text), ...(round ? [round.campaignName] : [])];
  return (
    <span title={all.join(" · ") || undefined}>
      {parts.length === 0 ? "–" : null}
      {parts.map(([text, link], at) => (
        <Fragment key={text}>
          {at > 0 ? " · " : null}
          {link}
        </Fragment>
      ))}
    </span>
  );
}
