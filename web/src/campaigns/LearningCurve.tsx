import { Text } from "@mantine/core";
import { IconChartLine } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { EChartsOption } from "echarts";
import { useMemo } from "react";
import { learningCurveQuery } from "../api/queries.ts";
import type { CampaignProgress } from "../api/types.ts";
import { Chart } from "../charts/Chart.tsx";
import { axisStyle, baseStyle, type Colours, tooltipStyle, useColours } from "../charts/colours.ts";
import { count, number, plural } from "../display/format.ts";
import { Nothing } from "../display/Nothing.tsx";
import { Panel } from "../display/Panel.tsx";
import { type CurvePoint, pointsFromRounds, pointsOf } from "./curve.ts";
import classes from "./LearningCurve.module.css";

/** Hits found against experiments measured, beside what random choice would have found. */
export function LearningCurve({ progress }: { progress: CampaignProgress }) {
  const colours = useColours();
  const { data: curve } = useQuery(learningCurveQuery(progress.campaign_id));
  const points = useMemo(() => (curve ? pointsOf(curve) : pointsFromRounds(progress)), [curve, progress]);
  const option = useMemo(() => makeOption(colours, points), [colours, points]);
  const last = points.at(-1);
  const closed = points.length > 1;
  return (
    <Panel title="Learning curve" note="Hits found with each experiment that passed QC">
      {closed && last ? (
        <>
          <Chart
            option={option}
            height={270}
            label={`${last.hits} hits in ${last.measured} experiments${last.random ? `; random choice would have found about ${Math.round(last.random.mean)}` : ""}.`}
          />
          <div className={classes.legend}>
            <span>
              <i style={{ background: "var(--lw-hit)" }} /> Found: {plural(last.hits, "hit")} in{" "}
              {count(last.measured)}
            </span>
            {last.random ? (
              <span>
                <i className={classes.random} /> Random choice: {number(last.random.mean, 1)} (
                {number(last.random.low, 0)} to {number(last.random.high, 0)} in 9 of 10 cases)
              </span>
            ) : null}
            {curve?.total_hits_estimate ? (
              <Text size="xs" c="dimmed">
                About {number(curve.total_hits_estimate.hits, 0)} hits in the design space (
                {curve.total_hits_estimate.basis})
              </Text>
            ) : null}
          </div>
        </>
      ) : (
        <Nothing icon={IconChartLine} title="No round is closed yet">
          After the first round the hits found show here, beside what random choice would have found.
        </Nothing>
      )}
    </Panel>
  );
}

function makeOption(colours: Colours, points: CurvePoint[]): EChartsOption {
  const axis = axisStyle(colours);
  const random = points.flatMap((it) => (it.random ? [{ ...it, random: it.random }] : []));
  const band = random.map((it) => [it.measured, it.random.low] as const);
  const height = random.map((it) => [it.measured, it.random.high - it.random.low] as const);
  const line = { type: "line" as const, showSymbol: false, silent: true };
  return {
    ...baseStyle(colours),
    grid: { left: 44, right: 18, top: 26, bottom: 42 },
    tooltip: {
      ...tooltipStyle(colours),
      trigger: "axis",
      formatter: (raw: unknown) => {
        const [first] = raw as { dataIndex: number }[];
        const point = first ? points[first.dataIndex] : undefined;
        if (!point) return "";
        const lines = [
          `<strong>${point.round === 0 ? "Start" : `Round ${point.round}`}</strong>`,
          `${point.hits} hits in ${point.measured} experiments`,
        ];
        if (point.random)
          lines.push(
            `random: ${number(point.random.mean, 1)} (${number(point.random.low, 0)} to ${number(point.random.high, 0)})`,
          );
        return lines.join("<br/>");
      },
    },
    xAxis: {
      ...axis,
      type: "value",
      name: "Experiments that passed QC",
      nameLocation: "middle",
      nameGap: 28,
      splitLine: { show: false },
    },
    yAxis: {
      ...axis,
      type: "value",
      name: "Hits",
      minInterval: 1,
      nameTextStyle: { ...axis.nameTextStyle, align: "right" },
    },
    series: [
      { ...line, stack: "band", data: band.map((it) => [...it]), lineStyle: { opacity: 0 } },
      {
        ...line,
        stack: "band",
        data: height.map((it) => [...it]),
        lineStyle: { opacity: 0 },
        areaStyle: { color: colours.inkFaint, opacity: 0.22 },
      },
      {
        ...line,
        data: random.map((it) => [it.measured, it.random.mean]),
        lineStyle: { color: colours.inkFaint, width: 1.5, type: "dashed" },
      },
      {
        type: "line",
        data: points.map((it) => [it.measured, it.hits]),
        symbol: "circle",
        symbolSize: 8,
        lineStyle: { color: colours.hit, width: 2.4 },
        itemStyle: { color: colours.hit, borderColor: colours.surface, borderWidth: 1.5 },
      },
    ],
  };
}
