import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "../api/client.ts";
import type { Instrument, InstrumentWork } from "../api/types.ts";

/** Days of the look back on an instrument's page. */
export const DAYS = 14;

export const instrumentQuery = (name: string) =>
  queryOptions({
    queryKey: ["instruments", name],
    queryFn: ({ signal }) =>
      answer<Instrument>(api.GET("/api/v1/instruments/{name}", { params: { path: { name } }, signal })),
    refetchInterval: 20_000,
  });

/** What it did, by days of whoever looks. */
export const instrumentWorkQuery = (name: string) =>
  queryOptions({
    queryKey: ["instruments", name, "work"],
    queryFn: ({ signal }) => {
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const query = { days: DAYS, zone };
      return answer<InstrumentWork>(
        api.GET("/api/v1/instruments/{name}/work", { params: { path: { name }, query }, signal }),
      );
    },
    refetchInterval: 20_000,
  });
