import { number } from "../display/format.ts";
import classes from "./DoubtBar.module.css";

type Props = { epistemic: number | null | undefined; aleatoric: number | null | undefined; most: number };

/** Two bars on one scale: ignorance above (more data would remove it), noise below (it would not). */
export function DoubtBar({ epistemic, aleatoric, most }: Props) {
  if (epistemic == null || aleatoric == null) return <span className={classes.none}>not predicted</span>;
  const width = (sd: number) => `${Math.min(100, (100 * sd) / (most || 1))}%`;
  return (
    <span
      className={classes.doubt}
      title={`Epistemic sd ${number(epistemic)} (more data would remove it), aleatoric sd ${number(aleatoric)} (noise)`}
    >
      <span className={classes.numbers}>
        <span>{number(epistemic)}</span>
        <span className={classes.noise}>{number(aleatoric)}</span>
      </span>
      <span className={classes.bars} aria-hidden>
        <span
          className={classes.bar}
          style={{ width: width(epistemic), background: "var(--lw-epistemic)" }}
        />
        <span
          className={classes.bar}
          style={{ width: width(aleatoric), background: "var(--lw-aleatoric)" }}
        />
      </span>
    </span>
  );
}
