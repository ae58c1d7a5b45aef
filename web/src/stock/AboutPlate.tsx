import { Link } from "@tanstack/react-router";
import type { StockPlateShown } from "../api/types.ts";
import { Facts } from "../display/Facts.tsx";
import { count } from "../display/format.ts";
import { Panel } from "../display/Panel.tsx";
import { When } from "../display/When.tsx";
import { microlitres } from "./volumes.ts";
import { placeWords } from "./words.ts";

/** What a plate of the stock is, where it stands, and how one knows. */
export function AboutPlate({ plate }: { plate: StockPlateShown }) {
  const isSource = plate.role === "library";
  return (
    <Panel title="Plate">
      <Facts
        facts={[
          { label: "Labware", value: plate.labware },
          ...(isSource ? [] : [{ label: "Context", value: plate.context ?? "–" }]),
          { label: "Stands", value: placeWords(plate), hint: plate.at ?? undefined },
          ...(plate.at
            ? [
                { label: "Since", value: <When at={plate.since_at} /> },
                {
                  label: "Known from",
                  value: plate.confirmed ? "a scan or a person" : "the plan, or its registration",
                },
              ]
            : []),
          { label: "Registered", value: <When at={plate.registered_at} /> },
          ...(isSource
            ? [
                { label: "Wells", value: count(plate.wells) },
                { label: "Left in all", value: microlitres(plate.volume_nl) },
                { label: "Reserved", value: microlitres(plate.reserved_nl) },
                {
                  label: "Stays in each well",
                  value: microlitres(plate.stays_nl),
                  hint: "What no plan draws: below it a pipette may draw air",
                },
              ]
            : [{ label: "Made into", value: <MadeInto plate={plate} /> }]),
        ]}
      />
    </Panel>
  );
}

/** The plate of a round that a blank one became. */
function MadeInto({ plate }: { plate: StockPlateShown }) {
  if (plate.made_into) {
    return (
      <Link to="/plates/$plateId" params={{ plateId: plate.made_into }}>
        the plate of its round
      </Link>
    );
  }
  const isTaken = plate.state === "reserved" || plate.state === "used";
  return isTaken ? "a plate of another project" : "nothing";
}
