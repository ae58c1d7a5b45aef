import { useComputedColorScheme } from "@mantine/core";
import { useMemo } from "react";

export type Colours = Record<
  "epistemic" | "aleatoric" | "hit" | "ok" | "ink" | "inkSoft" | "inkFaint" | "line" | "surface" | "bad",
  string
>;

const NAMES: Record<keyof Colours, string> = {
  epistemic: "--lw-epistemic",
  aleatoric: "--lw-aleatoric",
  hit: "--lw-hit",
  ok: "--lw-ok",
  ink: "--lw-ink",
  inkSoft: "--lw-ink-soft",
  inkFaint: "--lw-ink-faint",
  line: "--lw-line",
  surface: "--lw-surface",
  bad: "--lw-bad",
};

/** The theme's colours as a canvas needs them, renewed when light and dark change. */
export function useColours(): Colours {
  const scheme = useComputedColorScheme("light");
  return useMemo(() => {
    void scheme;
    const style = getComputedStyle(document.documentElement);
    const read = ([name, variable]: [string, string]) => [
      name,
      style.getPropertyValue(variable).trim() || "#888",
    ];
    return Object.fromEntries(Object.entries(NAMES).map((it) => read(it as [string, string]))) as Colours;
  }, [scheme]);
}

/** Axes that stay behind the data. */
/** What every chart has in common: the page's own type, and no picture of its own. */
export const baseStyle = (colours: Colours) => ({
  textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: colours.inkSoft },
});

export const axisStyle = (colours: Colours) => ({
  axisLine: { onZero: false, lineStyle: { color: colours.line } },
  axisTick: { show: false },
  axisLabel: { color: colours.inkSoft, fontSize: 11 },
  nameTextStyle: { color: colours.inkSoft, fontSize: 11 },
  splitLine: { lineStyle: { color: colours.line, width: 1 } },
});

export const tooltipStyle = (colours: Colours) => ({
  backgroundColor: colours.surface,
  borderColor: colours.line,
  textStyle: { color: colours.ink, fontSize: 12 },
  extraCssText: "box-shadow: 0 4px 16px rgb(0 0 0 / 18%); border-radius: 6px;",
});

/** For text that a chart shows as HTML: names come from campaign files. */
export const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
