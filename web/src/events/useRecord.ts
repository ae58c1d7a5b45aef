import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { eventsAfter } from "../api/queries.ts";
import type { SealedEvent } from "../api/types.ts";
import { endOfRecord } from "../live/position.ts";

export const PAGE = 200;
const LOOK_AGAIN_MS = 20_000;

/**
 * The record, the newest first: pages are read backwards from one place in it. That place follows the record's end
 * while nothing older is loaded; then it moves only when somebody asks for what is new, and what is loaded stays.
 */
export function useRecord() {
  const end = useQuery({
    queryKey: ["events", "end"],
    queryFn: ({ signal }) => endOfRecord(signal),
    refetchInterval: LOOK_AGAIN_MS,
  });
  const last = end.data;
  const [from, setFrom] = useState(last);
  const pages = useInfiniteQuery({
    queryKey: ["events", "before", from],
    enabled: from !== undefined,
    initialPageParam: from ?? 0,
    placeholderData: keepPreviousData,
    // What has happened does not change.
    staleTime: "static",
    queryFn: async ({ pageParam, signal }): Promise<SealedEvent[]> => {
      const after = Math.max(0, pageParam - PAGE);
      const page = pageParam > after ? await eventsAfter(after, pageParam - after, signal) : [];
      // Whoever may not read all of them is given later ones in their place, which stand on the page before.
      return page.filter((it) => it.position <= pageParam).reverse();
    },
    getNextPageParam: (_page, _pages, pageFrom) => (pageFrom > PAGE ? pageFrom - PAGE : undefined),
  });
  const { data } = pages;
  const isLong = (data?.pages.length ?? 0) > 1 || pages.isFetchingNextPage;
  useEffect(() => {
    if (last === undefined) return;
    // After a restore the record may end before what is loaded.
    setFrom((now) => (now === undefined || !isLong || last < now ? last : now));
  }, [last, isLong]);
  return {
    events: useMemo(() => data?.pages.flat(), [data]),
    pages,
    /** Where the record ends: for whoever may read all of it, how many events there are. */
    last,
    /** How far it has gone on since. */
    ahead: last !== undefined && from !== undefined ? Math.max(0, last - from) : 0,
    toTheEnd: () => setFrom(last),
    error: end.error ?? pages.error,
    again: () => {
      void end.refetch();
      if (from !== undefined) void pages.refetch();
    },
  };
}
