import type { EChartsOption } from "echarts";
import { useEffect, useRef, useState } from "react";
import { BlockBones } from "../display/Bones.tsx";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import type { ECharts } from "./engine.ts";

type Props = {
  option: EChartsOption;
  height: number;
  /** The picture in words. */
  label: string;
  onClick?: (dataIndex: number, seriesIndex: number) => void;
  onHover?: (dataIndex: number | null, seriesIndex: number) => void;
};

/** A chart; its place is kept while the code for it is on its way. */
export function Chart({ option, height, label, onClick, onHover }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<ECharts | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const hands = useRef({ onClick, onHover });
  hands.current = { onClick, onHover };

  useEffect(() => {
    let made: ECharts | null = null;
    let left = false;
    let observer: ResizeObserver | null = null;
    import("./engine.ts")
      .then(({ init }) => {
        const element = place.current;
        if (left || !element) return;
        made = init(element);
        made.on("click", (event) => hands.current.onClick?.(event.dataIndex, event.seriesIndex ?? 0));
        made.on("mouseover", (event) => hands.current.onHover?.(event.dataIndex, event.seriesIndex ?? 0));
        made.on("mouseout", () => hands.current.onHover?.(null, 0));
        observer = new ResizeObserver(() => made?.resize());
        observer.observe(element);
        setChart(made);
      })
      .catch(setFailure);
    return () => {
      left = true;
      observer?.disconnect();
      made?.dispose();
    };
  }, []);

  useEffect(() => {
    // Never from nothing: live events renew a chart often, and what moves each time is not looked at any more.
    chart?.setOption({ ...option, animation: false }, { notMerge: true });
  }, [chart, option]);

  return (
    <div style={{ position: "relative", height }} role="img" aria-label={label}>
      {failure ? <ProblemNotice what="The chart could not be loaded" error={failure} /> : null}
      {chart || failure ? null : (
        <div style={{ position: "absolute", inset: 0 }}>
          <BlockBones height={height} />
        </div>
      )}
      <div ref={place} style={{ height: "100%" }} aria-hidden />
    </div>
  );
}
