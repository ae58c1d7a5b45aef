// What the stock's pages read. Live events renew it: see live/renewal.ts.

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { answer, api } from "../api/client.ts";
import type { Page, StockBlanks, StockContent, StockPlate, StockPlateShown, Supply } from "../api/types.ts";

const PAGE = 100;
/** Found while somebody types a barcode. */
const FEW = 6;

export const STOCK_STATES = ["available", "reserved", "used", "withdrawn"] as const;
export type StockState = (typeof STOCK_STATES)[number];
export type StockRole = "library" | "assay";
export type StockFilter = { role: StockRole; state?: StockState; search?: string };

/** Page after page, by barcode. */
export const stockPlatesQuery = (filter: StockFilter) =>
  infiniteQueryOptions({
    queryKey: ["stock", "plates", filter],
    queryFn: ({ signal, pageParam }) =>
      answer<Page<StockPlate>>(
        api.GET("/api/v1/inventory/plates", {
          params: { query: { ...filter, limit: PAGE, cursor: pageParam ?? undefined } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
    placeholderData: keepPreviousData,
  });

/** The first few whose barcode has this in it. */
export const stockFoundQuery = (search: string) =>
  queryOptions({
    queryKey: ["stock", "found", search],
    queryFn: async ({ signal }) => {
      const params = { query: { search, limit: FEW } };
      return (await answer<Page<StockPlate>>(api.GET("/api/v1/inventory/plates", { params, signal }))).items;
    },
    placeholderData: keepPreviousData,
  });

export const stockPlateQuery = (barcode: string) =>
  queryOptions({
    queryKey: ["stock", "plate", barcode],
    queryFn: ({ signal }) =>
      answer<StockPlateShown>(
        api.GET("/api/v1/inventory/plates/{barcode}", { params: { path: { barcode } }, signal }),
      ),
  });

/** Reagents page after page, by name. */
export const contentsQuery = (search: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ["stock", "contents", { search }],
    queryFn: ({ signal, pageParam }) =>
      answer<Page<StockContent>>(
        api.GET("/api/v1/inventory/contents", {
          params: { query: { search, limit: PAGE, cursor: pageParam ?? undefined } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
    placeholderData: keepPreviousData,
  });

export const blanksQuery = queryOptions({
  queryKey: ["stock", "blanks"],
  queryFn: ({ signal }) => answer<StockBlanks[]>(api.GET("/api/v1/inventory/blanks", { signal })),
});

/** What rounds of the next so many laboratory days want; it moves with the calendar, not with every job. */
export const suppliesQuery = (days: number) =>
  queryOptions({
    queryKey: ["supplies", days],
    queryFn: ({ signal }) =>
      answer<Supply[]>(api.GET("/api/v1/inventory/supplies", { params: { query: { days } }, signal })),
    placeholderData: keepPreviousData,
  });
