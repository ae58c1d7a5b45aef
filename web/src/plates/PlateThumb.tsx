import { useComputedColorScheme } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { memo, useEffect, useMemo, useRef } from "react";
import type { Judgement, PlateLine } from "../api/types.ts";
import { formatOf, parseWell } from "./geometry.ts";
import { firstLayer, heatOf, mainChannel } from "./heat.ts";
import classes from "./PlateThumb.module.css";
import { thumbQuery } from "./thumb.ts";

const PITCH = 6;
const NO_NAMES: ReadonlyMap<string, string> = new Map();

/** A plate in small, as a picture beside its name. */
export const PlateThumb = memo(({ plate }: { plate: PlateLine }) => {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { data } = useQuery(thumbQuery(plate.id));
  const dark = useComputedColorScheme("light") === "dark";
  const format = useMemo(() => formatOf(plate.labware, []), [plate.labware]);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !data) return;
    const qc = (data.qc ?? null) as Judgement | null;
    const view = { layer: firstLayer(data, qc), channel: mainChannel(data), dark };
    const { wells } = heatOf(data, qc, view, NO_NAMES);
    const style = getComputedStyle(document.documentElement);
    context.clearRect(0, 0, format.columns * PITCH, format.rows * PITCH);
    for (const well of wells) {
      const place = parseWell(well.well);
      if (!place) continue;
      const fill = well.fill?.startsWith("var(") ? style.getPropertyValue(well.fill.slice(4, -1)) : well.fill;
      context.fillStyle = fill ?? style.getPropertyValue("--lw-line");
      context.fillRect(place.column * PITCH, place.row * PITCH, PITCH - 1, PITCH - 1);
    }
  }, [data, format, dark]);
  return (
    <canvas
      ref={canvas}
      width={format.columns * PITCH}
      height={format.rows * PITCH}
      className={classes.thumb}
      style={{ aspectRatio: `${format.columns} / ${format.rows}` }}
      aria-hidden
    />
  );
});
