import { Paper, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { Mark } from "../shell/Mark.tsx";
import classes from "./Door.module.css";

/** What stands around whoever is not in yet. */
export function Door({ title, children, below }: { title: string; children: ReactNode; below?: ReactNode }) {
  return (
    <main className={classes.door}>
      <PlatePattern />
      <div className={classes.column}>
        <div className={classes.brand}>
          <Mark size={36} />
          <div>
            <div className={classes.name}>Loopwright</div>
            <div className={classes.motto}>The closed loop of a perturbation laboratory</div>
          </div>
        </div>
        <Paper p="lg">
          <Title order={1} size="h2" mb="md">
            {title}
          </Title>
          {children}
        </Paper>
        {below}
      </div>
    </main>
  );
}

/** A plate whose wells fade out: the one ornament of the product. */
function PlatePattern() {
  const wells = [];
  for (let row = 0; row < 16; row++) {
    for (let column = 0; column < 24; column++) {
      const seed = Math.abs(Math.sin(row * 12.9898 + column * 78.233) * 43758.5453) % 1;
      const isHit = seed > 0.985;
      wells.push(
        <circle
          key={`${row}-${column}`}
          cx={column * 20 + 10}
          cy={row * 20 + 10}
          r={7}
          fill={isHit ? "var(--lw-hit)" : "currentColor"}
          opacity={isHit ? 0.55 : 0.04 + seed * 0.09}
        />,
      );
    }
  }
  return (
    <svg
      className={classes.pattern}
      viewBox="0 0 480 320"
      preserveAspectRatio="xMidYMid slice"
      aria-hidden="true"
    >
      {wells}
    </svg>
  );
}
