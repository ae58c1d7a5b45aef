import { type KeyboardEvent, memo, useId, useMemo, useState } from "react";
import { type Format, parseWell, rowName, step, wellName } from "./geometry.ts";
import classes from "./PlateMap.module.css";

export type MapWell = {
  well: string;
  /** Its colour; without one it is drawn as empty. */
  fill?: string;
  role: "sample" | "negative_control" | "positive_control";
  /** A mark over the colour: a hit, something that went wrong. */
  mark?: "hit" | "wrong" | undefined;
  /** What is read of it, by pointer and by screen reader. */
  title: string;
};

type Props = {
  format: Format;
  wells: readonly MapWell[];
  label: string;
  /** Wells drawn as looked at. */
  looked?: ReadonlySet<string>;
  onLook?: (well: string | null) => void;
  onChoose?: (well: string) => void;
};

const PITCH = 20;
const HEAD = 18;
const EMPTY: ReadonlySet<string> = new Set();

/**
 * A plate seen from above. Square wells: negative controls have a bar below, positive ones a bar above, so that
 * they are found without colour. Cursor keys go from well to well.
 */
export function PlateMap({ format, wells, label, looked = EMPTY, onLook, onChoose }: Props) {
  const name = useId();
  const [cursor, setCursor] = useState<string | null>(null);
  const byName = useMemo(() => new Map(wells.map((well) => [well.well, well])), [wells]);
  const width = HEAD + format.columns * PITCH;
  const height = HEAD + format.rows * PITCH;

  const onKey = (event: KeyboardEvent) => {
    const from = (cursor && parseWell(cursor)) || { row: 0, column: 0 };
    const next = cursor ? step(from, event.key, format) : step({ row: 0, column: 0 }, "Home", format);
    if (event.key === "Enter" && cursor) onChoose?.(cursor);
    else if (next && (event.key.startsWith("Arrow") || event.key === "Home" || event.key === "End")) {
      const well = wellName(next);
      setCursor(well);
      onLook?.(well);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const now = cursor ? byName.get(cursor) : undefined;
  return (
    <div className={classes.frame}>
      <svg
        viewBox={`0 0 ${width + 2} ${height + 2}`}
        className={classes.plate}
        role="img"
        aria-label={`${label}. ${cursor ? (now?.title ?? `${cursor}: empty`) : "Cursor keys go from well to well."}`}
        tabIndex={0}
        onKeyDown={onKey}
        onBlur={() => onLook?.(null)}
        onMouseLeave={() => onLook?.(null)}
      >
        <Heads format={format} />
        <rect
          x={HEAD - 1}
          y={HEAD - 1}
          width={format.columns * PITCH + 2}
          height={format.rows * PITCH + 2}
          rx={4}
          className={classes.body}
        />
        {wells.map((well) => (
          <Well key={well.well} well={well} onLook={onLook} onChoose={onChoose} />
        ))}
        {[...looked].map((well) => (
          <Ring key={well} well={well} className={classes.looked} />
        ))}
        {cursor ? <Ring well={cursor} className={classes.cursor} /> : null}
      </svg>
      <span className="lw-hidden" aria-live="polite" id={name}>
        {now?.title ?? (cursor ? `${cursor}: empty` : "")}
      </span>
    </div>
  );
}

const Heads = memo(({ format }: { format: Format }) => (
  <g className={classes.heads} aria-hidden>
    {Array.from({ length: format.columns }, (_, column) => column + 1).map((name) => (
      <text key={name} x={HEAD + (name - 0.5) * PITCH} y={HEAD - 6} textAnchor="middle">
        {name}
      </text>
    ))}
    {Array.from({ length: format.rows }, (_, row) => (
      <text key={rowName(row)} x={HEAD - 6} y={HEAD + (row + 0.5) * PITCH + 3} textAnchor="end">
        {rowName(row)}
      </text>
    ))}
  </g>
));

type WellProps = { well: MapWell } & Pick<Props, "onLook" | "onChoose">;
const Well = memo(({ well, onLook, onChoose }: WellProps) => {
  const place = parseWell(well.well);
  if (!place) return null;
  const x = HEAD + place.column * PITCH + 1;
  const y = HEAD + place.row * PITCH + 1;
  const size = PITCH - 2;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the plate around it takes the keys
    <g
      onMouseEnter={onLook ? () => onLook(well.well) : undefined}
      onClick={onChoose ? () => onChoose(well.well) : undefined}
      className={onChoose ? classes.chooses : undefined}
    >
      <title>{well.title}</title>
      <rect
        x={x}
        y={y}
        width={size}
        height={size}
        rx={2.5}
        fill={well.fill ?? "none"}
        className={well.fill ? classes.filled : classes.empty}
      />
      {well.role === "negative_control" ? (
        <rect x={x + 2} y={y + size - 4} width={size - 4} height={2.6} className={classes.bar} />
      ) : null}
      {well.role === "positive_control" ? (
        <rect x={x + 2} y={y + 1.4} width={size - 4} height={2.6} className={classes.bar} />
      ) : null}
      {well.mark === "hit" ? (
        <circle cx={x + size / 2} cy={y + size / 2} r={3.6} className={classes.hit} />
      ) : null}
      {well.mark === "wrong" ? (
        <path
          d={`M${x + 4} ${y + 4}l${size - 8} ${size - 8}m0 ${8 - size}l${8 - size} ${size - 8}`}
          className={classes.wrong}
        />
      ) : null}
    </g>
  );
});

function Ring({ well, className }: { well: string; className: string | undefined }) {
  const place = parseWell(well);
  if (!place) return null;
  return (
    <rect
      x={HEAD + place.column * PITCH}
      y={HEAD + place.row * PITCH}
      width={PITCH}
      height={PITCH}
      rx={3.5}
      className={className}
      pointerEvents="none"
    />
  );
}
