import type { EChartsOption } from "echarts";
import { useMemo } from "react";
import type { Proposal } from "../api/types.ts";
import { Chart } from "../charts/Chart.tsx";
import {
  axisStyle,
  baseStyle,
  type Colours,
  escapeHtml,
  tooltipStyle,
  useColours,
} from "../charts/colours.ts";
import { number, percent } from "../display/format.ts";

type Props = {
  selected: Proposal[];
  runnersUp: Proposal[];
  chosen: ReadonlySet<string>;
  looked: string | null;
  onLook: (id: string | null) => void;
  onChoose: (id: string) => void;
  height: number;
};

/** Predicted mean against what the model does not know: where the batch looks for hits, and where for knowledge. */
export function DoubtPlot({ selected, runnersUp, chosen, looked, onLook, onChoose, height }: Props) {
  const colours = useColours();
  const series = useMemo(
    () => [runnersUp, selected].map((list) => list.filter(isPredicted)),
    [runnersUp, selected],
  );
  const option = useMemo(
    () => makeOption(colours, series, chosen, looked),
    [colours, series, chosen, looked],
  );
  const at = (dataIndex: number | null, seriesIndex: number) =>
    dataIndex === null || seriesIndex > 1 ? null : (series[seriesIndex]?.[dataIndex]?.id ?? null);
  return (
    <Chart
      option={option}
      height={height}
      label={`${selected.length} experiments of the batch: predicted mean against epistemic standard deviation. The table holds the same numbers.`}
      onHover={(dataIndex, seriesIndex) => onLook(at(dataIndex, seriesIndex))}
      onClick={(dataIndex, seriesIndex) => {
        const id = seriesIndex === 1 ? at(dataIndex, seriesIndex) : null;
        if (id) onChoose(id);
      }}
    />
  );
}

const isPredicted = (it: Proposal) => it.mean != null && it.epistemic_sd != null;

function makeOption(
  colours: Colours,
  series: Proposal[][],
  chosen: ReadonlySet<string>,
  looked: string | null,
): EChartsOption {
  const axis = axisStyle(colours);
  const point = (it: Proposal) => ({
    value: [it.mean ?? 0, it.epistemic_sd ?? 0],
    symbolSize: chosen.has(it.id) ? 13 : 8,
    itemStyle: chosen.has(it.id) ? { borderColor: colours.ink, borderWidth: 2, opacity: 1 } : undefined,
  });
  const [runnersUp = [], selected = []] = series;
  const ring = [...selected, ...runnersUp].filter((it) => it.id === looked);
  return {
    ...baseStyle(colours),
    animation: false,
    grid: { left: 46, right: 16, top: 26, bottom: 40 },
    tooltip: {
      ...tooltipStyle(colours),
      trigger: "item",
      formatter: (raw: unknown) => {
        const { dataIndex, seriesIndex } = raw as { dataIndex: number; seriesIndex: number };
        const it = series[seriesIndex]?.[dataIndex];
        return it ? describe(it, colours) : "";
      },
    },
    xAxis: {
      ...axis,
      type: "value",
      name: "Predicted mean",
      nameLocation: "middle",
      nameGap: 26,
      scale: true,
      splitLine: { show: false },
    },
    yAxis: {
      ...axis,
      type: "value",
      name: "Epistemic sd",
      nameLocation: "end",
      nameTextStyle: { ...axis.nameTextStyle, color: colours.epistemic, align: "left" },
      nameGap: 10,
      scale: true,
    },
    series: [
      {
        type: "scatter",
        name: "Runners-up",
        data: runnersUp.map((it) => ({ ...point(it), symbolSize: 6 })),
        itemStyle: { color: "transparent", borderColor: colours.inkFaint, borderWidth: 1.2, opacity: 0.8 },
      },
      {
        type: "scatter",
        name: "Selected",
        data: selected.map(point),
        itemStyle: { color: colours.ok, opacity: 0.72 },
      },
      {
        type: "scatter",
        name: "Looked at",
        silent: true,
        data: ring.map((it) => [it.mean ?? 0, it.epistemic_sd ?? 0]),
        symbolSize: 18,
        itemStyle: { color: "transparent", borderColor: colours.ink, borderWidth: 2 },
        z: 5,
      },
    ],
  };
}

const describe = (it: Proposal, colours: Colours) => `
  <strong>${escapeHtml(it.perturbation)}</strong> <span style="color:${colours.inkSoft}">${escapeHtml(it.context)}</span><br/>
  mean ${number(it.mean)}<br/>
  <span style="color:${colours.epistemic}">epistemic sd ${number(it.epistemic_sd)}</span><br/>
  <span style="color:${colours.aleatoric}">aleatoric sd ${number(it.aleatoric_sd)}</span><br/>
  hit ${percent(it.hit_probability)}`;
