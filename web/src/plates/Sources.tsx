import { Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Plate } from "../api/types.ts";
import { plural } from "../display/format.ts";
import { Panel } from "../display/Panel.tsx";
import classes from "./Sources.module.css";
import { sourcesOf } from "./sources.ts";

/** Where a plate comes from: the blank one in the stock, and the source plates of its reagents. */
export function Sources({ plate }: { plate: Plate }) {
  const sources = useMemo(() => sourcesOf(plate), [plate]);
  return (
    <Panel
      title="Reagents from"
      note={sources.length > 0 ? plural(sources.length, "source plate") : undefined}
      actions={
        <Link to="/stock/$barcode" params={{ barcode: plate.barcode }}>
          This plate in the stock
        </Link>
      }
    >
      {sources.length === 0 ? (
        <Text size="sm" c="dimmed">
          Its source plates show here once it is dispensed.
        </Text>
      ) : (
        <ul className={classes.list} aria-label="Source plates">
          {sources.map(({ barcode, transfers }) => (
            <li key={barcode}>
              <Link to="/stock/$barcode" params={{ barcode }} title={barcode} className="lw-cut">
                {barcode}
              </Link>
              <span className={classes.much}>{plural(transfers, "transfer")}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
