import type { QueryClient } from "@tanstack/react-query";
import { answer, api, freshKey } from "../api/client.ts";
import type { Counted, Imported, StockPlateShown } from "../api/types.ts";
import { stockPlateQuery } from "./queries.ts";
import type { TableKind } from "./tables.ts";

/** A table goes as it is, and not as JSON. */
const asTable = (csv: string) => ({
  body: csv,
  bodySerializer: (body: string) => body,
  headers: { "content-type": "text/csv" },
});

export function sendPlates(kind: Exclude<TableKind, "volumes">, csv: string): Promise<Imported> {
  const door = kind === "library" ? "/api/v1/inventory/library" : "/api/v1/inventory/assay-plates";
  const header = { "idempotency-key": freshKey() };
  return answer<Imported>(api.POST(door, { params: { header }, ...asTable(csv) }));
}

export function sendVolumes(csv: string, reason: string): Promise<Counted> {
  const params = { query: { reason }, header: { "idempotency-key": freshKey() } };
  return answer<Counted>(api.POST("/api/v1/inventory/volumes", { params, ...asTable(csv) }));
}

export type StockOrder = "withdraw" | "put-back" | "found";

export function sendStockOrder(barcode: string, order: StockOrder, reason: string): Promise<StockPlateShown> {
  const params = { path: { barcode }, header: { "idempotency-key": freshKey() } };
  return answer<StockPlateShown>(
    api.POST(`/api/v1/inventory/plates/{barcode}/${order}`, { params, body: { reason } }),
  );
}

/** Reads everything again that a change of the stock makes old; `plate`: how it stands now. */
export async function renewStock(client: QueryClient, plate?: StockPlateShown) {
  if (plate) client.setQueryData(stockPlateQuery(plate.barcode).queryKey, plate);
  for (const name of ["stock", "supplies", "calendar", "batches", "draft-plan"])
    await client.invalidateQueries({ queryKey: [name] });
}
