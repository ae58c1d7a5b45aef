import { Link } from "@tanstack/react-router";
import type { Judgement, PlateLine } from "../api/types.ts";
import { number } from "../display/format.ts";
import { StateBadge } from "../display/StateBadge.tsx";
import { When } from "../display/When.tsx";
import { useRoundName } from "../rounds/useRoundName.ts";
import classes from "./PlateCard.module.css";
import { PlateThumb } from "./PlateThumb.tsx";

export function PlateCard({ plate }: { plate: PlateLine }) {
  const round = useRoundName(plate.round_id);
  const qc = (plate.qc ?? null) as Judgement | null;
  return (
    <Link
      to="/plates/$plateId"
      params={{ plateId: plate.id }}
      className={classes.card}
      data-state={plate.state}
    >
      <PlateThumb plate={plate} />
      <div className={classes.words}>
        <div className={classes.line}>
          <span className={classes.name} title={plate.barcode}>
            {plate.barcode}
          </span>
          <StateBadge state={plate.state} />
        </div>
        <div className={classes.rest}>
          <span className="lw-cut" title={round ? `${round.campaignName}, round ${round.number}` : undefined}>
            {round ? `Round ${round.number} · ${round.campaignName}` : "\u00a0"}
          </span>
        </div>
        <div className={classes.rest}>
          <span className="lw-cut" title={plate.context}>
            {plate.context}
            {plate.generation > 1 ? ` · generation ${plate.generation}` : ""}
          </span>
          <span>{qc ? `Z' ${number(qc.z_prime)}` : <When at={plate.created_at} />}</span>
        </div>
        {plate.reason ? (
          <div className={classes.reason} title={plate.reason}>
            {plate.reason}
          </div>
        ) : null}
      </div>
    </Link>
  );
}
