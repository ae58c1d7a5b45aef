import { Button } from "@mantine/core";
import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import classes from "./Older.module.css";

type Pages = Pick<UseInfiniteQueryResult, "hasNextPage" | "isFetchingNextPage" | "fetchNextPage">;

/** Below a list that is read page by page, while there is more of it. `ruled`: with a line above, in a panel. */
export function Older({ read, words, ruled }: { read: Pages; words?: string; ruled?: boolean }) {
  if (!read.hasNextPage) return null;
  return (
    <div className={classes.older} data-ruled={ruled || undefined}>
      <Button
        size="xs"
        variant="default"
        loading={read.isFetchingNextPage}
        onClick={() => void read.fetchNextPage()}
      >
        {words ?? "Older ones"}
      </Button>
    </div>
  );
}
