import { Button, SegmentedControl, Select, Text, useComputedColorScheme } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { jobsQuery, plateQuery, proposalsQuery, roundQuery } from "../../../api/queries.ts";
import type { Judgement, Plate } from "../../../api/types.ts";
import { BlockBones } from "../../../display/Bones.tsx";
import { plural } from "../../../display/format.ts";
import { PageHead } from "../../../display/PageHead.tsx";
import { Panel } from "../../../display/Panel.tsx";
import { ProblemNotice } from "../../../display/ProblemNotice.tsx";
import { StateBadge } from "../../../display/StateBadge.tsx";
import { When } from "../../../display/When.tsx";
import { DecidePlate } from "../../../plates/DecidePlate.tsx";
import { formatOf } from "../../../plates/geometry.ts";
import { channelsOf, firstLayer, heatOf, LAYERS, type Layer, mainChannel } from "../../../plates/heat.ts";
import { PlateJobs } from "../../../plates/PlateJobs.tsx";
import { PlateMap } from "../../../plates/PlateMap.tsx";
import classes from "../../../plates/Plates.module.css";
import { ScaleBar } from "../../../plates/ScaleBar.tsx";
import { Sources } from "../../../plates/Sources.tsx";
import { Verdict } from "../../../plates/Verdict.tsx";

export const Route = createFileRoute("/_app/plates/$plateId")({ component: Page });

const ABOVE = [{ label: "Plates", link: { to: "/plates" as const } }];

function Page() {
  const { plateId } = Route.useParams();
  const plate = useQuery(plateQuery(plateId));
  if (plate.data) return <Shown key={plateId} plate={plate.data} />;
  return (
    <>
      <PageHead title="Plate" above={ABOVE} />
      {plate.error ? (
        <ProblemNotice
          what="The plate cannot be shown"
          error={plate.error}
          again={() => void plate.refetch()}
        />
      ) : (
        <BlockBones height={520} />
      )}
    </>
  );
}

function Shown({ plate }: { plate: Plate }) {
  const qc = (plate.qc ?? null) as Judgement | null;
  const { data: round } = useQuery(roundQuery(plate.round_id));
  const { data: proposals } = useQuery(proposalsQuery(plate.batch_id));
  const channels = useMemo(() => channelsOf(plate), [plate]);
  const [picked, setPicked] = useState<Layer | null>(null);
  const [pickedChannel, setChannel] = useState<string | null>(null);
  const [looked, setLooked] = useState<string | null>(null);
  const layer = picked ?? firstLayer(plate, qc);
  const channel = pickedChannel ?? mainChannel(plate);
  const names = useMemo(() => new Map(proposals?.items.map((it) => [it.id, it.perturbation])), [proposals]);
  const dark = useComputedColorScheme("light") === "dark";
  const heat = useMemo(
    () => heatOf(plate, qc, { layer, channel, dark }, names),
    [plate, qc, layer, channel, dark, names],
  );
  const format = useMemo(
    () =>
      formatOf(
        plate.labware,
        plate.wells.map((it) => it.well),
      ),
    [plate],
  );
  const now = looked ? (heat.wells.find((it) => it.well === looked)?.title ?? `${looked}: empty`) : null;
  const siblings = useMemo(() => {
    const here = plate.wells.find((it) => it.well === looked)?.proposal_id;
    return new Set(
      here
        ? plate.wells.filter((it) => it.proposal_id === here).map((it) => it.well)
        : looked
          ? [looked]
          : [],
    );
  }, [plate, looked]);
  const jobs = jobsQuery({ plate_id: plate.id });
  return (
    <>
      <PageHead
        title={plate.barcode}
        above={ABOVE}
        badge={<StateBadge state={plate.state} />}
        actions={
          plate.readings.length > 0 ? (
            <Button
              component="a"
              variant="default"
              href={`/api/v1/plates/${plate.id}/readings.asm.json`}
              download={`${plate.barcode}.asm.json`}
              title="Raw readings as an Allotrope Simple Model document"
              leftSection={<IconDownload size={15} aria-hidden />}
            >
              Readings as ASM
            </Button>
          ) : undefined
        }
        note={
          <>
            {round ? (
              <>
                <Link to="/campaigns/$campaignId" params={{ campaignId: round.campaign_id }}>
                  Round {round.number}
                </Link>{" "}
                ·{" "}
              </>
            ) : null}
            {plate.context} · <span title={plate.labware}>{format.rows * format.columns} wells</span>
            {plate.generation > 1 ? ` · generation ${plate.generation}` : ""} · planned{" "}
            <When at={plate.created_at} />
          </>
        }
      />
      {plate.reason ? (
        <Text
          size="sm"
          mb="sm"
          c={plate.state === "quarantined" || plate.state === "lost" ? "var(--lw-bad)" : undefined}
        >
          {plate.reason}
        </Text>
      ) : null}
      <div className={classes.plate}>
        <Panel
          title="Plate"
          note={plural(plate.wells.length, "well")}
          actions={
            <>
              {channels.length > 1 && (layer === "raw" || layer === "normalised") ? (
                <Select
                  aria-label="Channel"
                  size="xs"
                  w={120}
                  data={channels}
                  value={channel}
                  onChange={setChannel}
                  allowDeselect={false}
                />
              ) : null}
              <SegmentedControl
                aria-label="Layer"
                data={LAYERS}
                value={layer}
                onChange={(value) => setPicked(value as Layer)}
              />
            </>
          }
        >
          <PlateMap
            format={format}
            wells={heat.wells}
            label={`Plate ${plate.barcode}, ${layer}`}
            looked={siblings}
            onLook={setLooked}
          />
          <div className={classes.foot}>
            {heat.scale ? (
              <ScaleBar scale={heat.scale} unit={heat.unit} middle={heat.note} />
            ) : (
              <Text size="xs" c="dimmed">
                {layer === "roles"
                  ? "Blue: experiments; grey: negative control; sand: positive control"
                  : emptyWords(layer)}
              </Text>
            )}
            <Text size="xs" c="dimmed">
              Bar below: negative control; above: positive; cross: failed or short transfer
            </Text>
          </div>
          <Text size="sm" className={classes.well} mt={6} aria-hidden>
            {now ?? "Point at a well, or go from well to well with the cursor keys."}
          </Text>
        </Panel>
        <div className={classes.side}>
          <DecidePlate plate={plate} />
          <Panel title="Quality control">
            <Verdict qc={qc} />
          </Panel>
          <Sources plate={plate} />
          <PlateJobs query={jobs} />
        </div>
      </div>
    </>
  );
}

function emptyWords(layer: Layer) {
  if (layer === "volume") return "The handler has not reported volumes yet.";
  if (layer === "normalised")
    return "Not normalised: the controls do not say what 0 and 1 are, or it is not read yet.";
  return "Not read yet.";
}
