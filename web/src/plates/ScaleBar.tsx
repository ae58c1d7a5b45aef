import { number } from "../display/format.ts";
import { coloursOf, type Scale } from "./scale.ts";

/** The colours with what they stand for. */
export function ScaleBar({ scale, unit, middle }: { scale: Scale; unit: string; middle?: string }) {
  const stops = coloursOf(scale.kind, scale.dark).join(", ");
  return (
    <div
      style={{
        display: "flex",
        alignItems: "center",
        gap: 8,
        fontSize: "0.75rem",
        color: "var(--lw-ink-soft)",
      }}
    >
      <span>{number(scale.low)}</span>
      <div
        style={{ width: 130, height: 9, borderRadius: 3, background: `linear-gradient(to right, ${stops})` }}
        aria-hidden
      />
      <span>
        {number(scale.high)} {unit}
      </span>
      {middle ? <span>· {middle}</span> : null}
    </div>
  );
}
