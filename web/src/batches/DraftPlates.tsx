import { SegmentedControl, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { draftPlanQuery } from "../api/queries.ts";
import type { Batch, DraftPlateMap, Proposal } from "../api/types.ts";
import { number } from "../display/format.ts";
import { Panel } from "../display/Panel.tsx";
import { type MapWell, PlateMap } from "../plates/PlateMap.tsx";
import { ScaleBar } from "../plates/ScaleBar.tsx";
import { domainOf, makeScale, type Scale } from "../plates/scale.ts";

type Props = {
  batch: Batch;
  proposals: Proposal[];
  looked: string | null;
  onLook: (id: string | null) => void;
  onChoose: (id: string) => void;
};

/** Where each experiment goes, plate by plate; coloured by predicted mean. Hidden where a server does not say. */
export function DraftPlates({ batch, proposals, looked, onLook, onChoose }: Props) {
  const [ordinal, setOrdinal] = useState<string | null>(null);
  const possible = batch.draft?.plan === "possible";
  const { data } = useQuery({ ...draftPlanQuery(batch.id, batch.revision), enabled: possible });
  const plates = data?.plates ?? [];
  const plate = plates.find((it) => String(it.ordinal) === ordinal) ?? plates[0];
  const predicted = useMemo(() => new Map(proposals.map((it) => [it.id, it])), [proposals]);
  const scale = useMemo(() => {
    const means = proposals.filter((it) => it.status === "selected").flatMap((it) => it.mean ?? []);
    const [low, high] = domainOf(means);
    return makeScale("sequential", low, high);
  }, [proposals]);
  const wells = useMemo(() => (plate ? drawn(plate, predicted, scale) : []), [plate, predicted, scale]);
  const proposalAt = useMemo(
    () => new Map(plate?.wells.flatMap((it) => (it.proposal_id ? [[it.well, it.proposal_id] as const] : []))),
    [plate],
  );
  const ringed = useMemo(() => {
    const found = looked ? plate?.wells.filter((it) => it.proposal_id === looked) : [];
    return new Set(found?.map((it) => it.well));
  }, [plate, looked]);
  if (!plate) return null;
  return (
    <Panel
      title="Plate map"
      note={`${plate.barcode} · ${plate.context}`}
      actions={
        plates.length > 1 ? (
          <SegmentedControl
            aria-label="Plate"
            data={plates.map((it) => ({ value: String(it.ordinal), label: String(it.ordinal) }))}
            value={String(plate.ordinal)}
            onChange={setOrdinal}
          />
        ) : null
      }
    >
      <PlateMap
        format={{ rows: plate.rows, columns: plate.columns }}
        wells={wells}
        label={`Draft of plate ${plate.ordinal}`}
        looked={ringed}
        onLook={(well) => onLook(well ? (proposalAt.get(well) ?? null) : null)}
        onChoose={(well) => {
          const id = proposalAt.get(well);
          if (id) onChoose(id);
        }}
      />
      <div style={{ display: "flex", flexWrap: "wrap", gap: "4px 18px", marginTop: 8 }}>
        <ScaleBar scale={scale} unit="predicted mean" />
        <Text size="xs" c="dimmed">
          Bar below: negative control; above: positive control
        </Text>
      </div>
    </Panel>
  );
}

const CONTROL = "var(--lw-line)";

function drawn(plate: DraftPlateMap, predicted: Map<string, Proposal>, scale: Scale): MapWell[] {
  return plate.wells.map((it) => {
    const proposal = it.proposal_id ? predicted.get(it.proposal_id) : undefined;
    const mean = proposal?.mean;
    const title =
      it.role === "sample"
        ? `${it.well}: ${it.perturbation ?? proposal?.perturbation ?? "?"}, replicate ${it.replicate}${mean == null ? "" : `, predicted ${number(mean)}`}`
        : `${it.well}: ${it.role.replace("_", " ")} (${it.contents.join(", ")})`;
    const fill = it.role === "sample" ? (mean == null ? "var(--lw-ink-faint)" : scale.colour(mean)) : CONTROL;
    return { well: it.well, role: it.role, fill, title };
  });
}
