import type { ModelVersion } from "../api/types.ts";
import { percent } from "../display/format.ts";

const LEVELS = ["50", "80", "90"] as const;
const WIDTH = 110;

/** Where the intervals of 50, 80 and 90 % really reach. */
export function Coverage({ metrics }: { metrics: ModelVersion["metrics"] }) {
  const found = LEVELS.map((level) => [Number(level), metrics[`coverage_${level}`]] as const);
  if (found.every(([, share]) => share == null))
    return <span style={{ color: "var(--lw-ink-faint)" }}>too little data</span>;
  const text = found.map(([, share]) => percent(share)).join(" / ");
  return (
    <span style={{ display: "inline-flex", alignItems: "center", gap: 8 }} title={text}>
      <svg width={WIDTH} height={14} role="img" aria-label={`Coverage ${text}`}>
        <line x1={0} x2={WIDTH} y1={7} y2={7} stroke="var(--lw-line-strong)" />
        {found.map(([level, share]) => (
          <g key={level}>
            <line
              x1={(level / 100) * WIDTH}
              x2={(level / 100) * WIDTH}
              y1={1.5}
              y2={12.5}
              stroke="var(--lw-ink-faint)"
              strokeWidth={1.4}
            />
            {share == null ? null : <circle cx={share * WIDTH} cy={7} r={3.2} fill="var(--lw-epistemic)" />}
          </g>
        ))}
      </svg>
      <span>{percent(found[2]?.[1])}</span>
    </span>
  );
}
