import { useQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import type { StockPlateShown } from "../../../api/types.ts";
import { BlockBones } from "../../../display/Bones.tsx";
import { PageHead } from "../../../display/PageHead.tsx";
import { ProblemNotice } from "../../../display/ProblemNotice.tsx";
import { StateBadge } from "../../../display/StateBadge.tsx";
import { AboutPlate } from "../../../stock/AboutPlate.tsx";
import { Changes } from "../../../stock/Changes.tsx";
import { Draws } from "../../../stock/Draws.tsx";
import { stockPlateQuery } from "../../../stock/queries.ts";
import { StockOrders } from "../../../stock/StockOrders.tsx";
import classes from "../../../stock/StockPlate.module.css";
import { WellsPanel } from "../../../stock/WellsPanel.tsx";
import { ROLE_WORDS } from "../../../stock/words.ts";

export const Route = createFileRoute("/_app/stock/$barcode")({ component: Page });

const ABOVE = [{ label: "Stock", link: { to: "/stock" as const } }];

function Page() {
  const { barcode } = Route.useParams();
  const plate = useQuery(stockPlateQuery(barcode));
  if (plate.data) return <Shown key={barcode} plate={plate.data} />;
  return (
    <>
      <PageHead title={barcode} above={ABOVE} />
      {plate.error ? (
        <ProblemNotice
          what="The plate cannot be shown"
          error={plate.error}
          again={() => void plate.refetch()}
        />
      ) : (
        <BlockBones height={520} />
      )}
    </>
  );
}

function Shown({ plate }: { plate: StockPlateShown }) {
  const isSource = plate.role === "library";
  const above = [
    ABOVE[0],
    isSource
      ? { label: "Source plates", link: { to: "/stock" as const, search: { tab: "sources" as const } } }
      : { label: "Blank plates", link: { to: "/stock" as const, search: { tab: "blanks" as const } } },
  ].filter((it) => it !== undefined);
  return (
    <>
      <PageHead
        title={plate.barcode}
        above={above}
        badge={<StateBadge state={plate.state} />}
        note={`${ROLE_WORDS[plate.role] ?? plate.role} of the stock`}
        actions={<StockOrders plate={plate} />}
      />
      <div className={classes.page}>
        <AboutPlate plate={plate} />
        {isSource ? <WellsPanel plate={plate} /> : null}
        {isSource ? (
          <div className={classes.two}>
            <Draws draws={plate.draws} />
            <Changes changes={plate.changes} />
          </div>
        ) : (
          <Changes changes={plate.changes} />
        )}
      </div>
    </>
  );
}
