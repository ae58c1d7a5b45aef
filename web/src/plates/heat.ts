// What each layer of a plate shows in its wells. Pure.

import type { Judgement, Plate } from "../api/types.ts";
import { number, volume } from "../display/format.ts";
import type { MapWell } from "./PlateMap.tsx";
import { domainAround, domainOf, makeScale, type Scale } from "./scale.ts";

export type Layer = "normalised" | "raw" | "volume" | "roles";
export const LAYERS: { value: Layer; label: string }[] = [
  { value: "normalised", label: "Normalised" },
  { value: "raw", label: "Raw" },
  { value: "volume", label: "Actual volume" },
  { value: "roles", label: "Layout" },
];

export type Heat = { wells: MapWell[]; scale: Scale | null; unit: string; note?: string };

/** Readings of one channel by well. */
export function readingsOf(plate: Plate, channel: string): Map<string, number> {
  return new Map(plate.readings.filter((it) => it.channel === channel).map((it) => [it.well, it.value]));
}

export const channelsOf = (plate: Plate) => [...new Set(plate.readings.map((it) => it.channel))];

/** The channel that tells most: a reader's hit calls have two values, a signal has many. */
export function mainChannel(plate: Plate): string {
  const values = new Map<string, Set<number>>();
  for (const { channel, value } of plate.readings) {
    const seen = values.get(channel) ?? new Set<number>();
    values.set(channel, seen.add(value));
  }
  const sizes = [...values].map(([channel, seen]) => [channel, seen.size] as const);
  return sizes.sort((a, b) => b[1] - a[1])[0]?.[0] ?? "";
}

/** Negative control 0, positive control 1; `null` when the controls do not say. */
export function normaliser(qc: Judgement | null): ((value: number) => number) | null {
  const negative = qc?.negative.mean;
  const positive = qc?.positive.mean;
  if (negative == null || positive == null || negative === positive) return null;
  return (value) => (value - negative) / (positive - negative);
}

/** What a well got in all, over what it should have got; `null` where the device did not say. */
export function volumesOf(
  plate: Plate,
): Map<string, { intended: number; actual: number | null; error: string | null }> {
  const sums = new Map<string, { intended: number; actual: number | null; error: string | null }>();
  for (const transfer of plate.transfers) {
    const before = sums.get(transfer.destination_well) ?? { intended: 0, actual: 0, error: null };
    const actual =
      transfer.actual_nl == null || before.actual === null ? null : before.actual + transfer.actual_nl;
    sums.set(transfer.destination_well, {
      intended: before.intended + transfer.intended_nl,
      actual,
      error: transfer.error ?? before.error,
    });
  }
  return sums;
}

/** Less than this share of the intended volume is short: what the server's ingestion says, too. */
const SHORT_SHARE = 0.8;

type Names = ReadonlyMap<string, string>;

export type View = { layer: Layer; channel: string; dark: boolean };

/** Wells, colours and scale of one layer. `names`: perturbations by proposal. */
export function heatOf(plate: Plate, qc: Judgement | null, view: View, names: Names): Heat {
  const { layer, channel, dark } = view;
  const readings = readingsOf(plate, channel);
  const volumes = volumesOf(plate);
  const normalise = normaliser(qc);
  const unit = plate.readings.find((it) => it.channel === channel)?.unit ?? "";
  const shown = new Map<string, number>();
  if (layer === "raw") for (const [well, value] of readings) shown.set(well, value);
  if (layer === "normalised" && normalise) {
    for (const [well, value] of readings) shown.set(well, normalise(value));
  }
  if (layer === "volume") {
    for (const [well, { actual }] of volumes) if (actual !== null) shown.set(well, actual);
  }
  const scale = layer === "roles" ? null : scaleOf(layer, [...shown.values()], dark);
  const wells = plate.wells.map((it): MapWell => {
    const value = shown.get(it.well);
    const got = volumes.get(it.well);
    const what =
      it.role === "sample" ? (names.get(it.proposal_id ?? "") ?? "experiment") : it.role.replace("_", " ");
    const parts = [`${it.well}: ${what}`];
    const raw = readings.get(it.well);
    if (raw !== undefined) parts.push(`${channel} ${number(raw)}${unit ? ` ${unit}` : ""}`);
    if (raw !== undefined && normalise) parts.push(`normalised ${number(normalise(raw))}`);
    if (got) {
      parts.push(
        got.actual === null
          ? `${volume(got.intended)} intended, device did not say`
          : `${volume(got.actual)} of ${volume(got.intended)}`,
      );
      if (got.error) parts.push(got.error);
    }
    const wrong = got?.error != null || (got?.actual != null && got.actual < SHORT_SHARE * got.intended);
    return {
      well: it.well,
      role: it.role,
      fill: fillOf(layer, it.role, value, scale),
      mark: wrong ? "wrong" : undefined,
      title: parts.join(" · "),
    };
  });
  const note = layer === "normalised" ? "negative control 0, positive control 1" : undefined;
  return { wells, scale, unit: layer === "raw" ? unit : layer === "volume" ? "nL" : "", note };
}

function scaleOf(layer: Layer, values: number[], dark: boolean): Scale | null {
  if (values.length === 0) return null;
  if (layer === "normalised") return makeScale("diverging", ...domainAround(0, values), dark);
  if (layer === "volume") return makeScale("sequential", 0, Math.max(...values));
  return makeScale("sequential", ...domainOf(values));
}

function fillOf(layer: Layer, role: MapWell["role"], value: number | undefined, scale: Scale | null) {
  if (layer === "roles") {
    return role === "sample"
      ? "var(--lw-epistemic)"
      : role === "negative_control"
        ? "var(--lw-line-strong)"
        : "var(--lw-aleatoric)";
  }
  return value === undefined || !scale ? undefined : scale.colour(value);
}

/** The layer worth showing first: what there is most of. */
export function firstLayer(plate: Plate, qc: Judgement | null): Layer {
  if (plate.readings.length > 0) return normaliser(qc) ? "normalised" : "raw";
  return plate.transfers.some((it) => it.actual_nl != null) ? "volume" : "roles";
}
