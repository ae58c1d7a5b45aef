import { IconCheck } from "@tabler/icons-react";
import classes from "./ByHand.module.css";
import type { PlateByHand } from "./types.ts";
import { placeWords } from "./words.ts";

type Props = { plates: readonly PlateByHand[]; ticked: readonly string[] };

/** The plates of a step, where each stands, and which were scanned. */
export function StepPlates({ plates, ticked }: Props) {
  if (plates.length === 0) return null;
  return (
    <ul className={classes.plates} aria-label="Plates">
      {plates.map((plate) => (
        <li
          key={plate.barcode}
          className={classes.plate}
          data-ticked={ticked.includes(plate.barcode) || undefined}
          title={plate.labware}
        >
          <span className={classes.barcode}>{plate.barcode}</span>
          <span className={classes.place}>{placeWords(plate)}</span>
          {ticked.includes(plate.barcode) ? (
            <IconCheck size={22} stroke={2.4} className={classes.tick} aria-label="scanned" />
          ) : null}
        </li>
      ))}
    </ul>
  );
}
