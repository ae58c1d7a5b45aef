import { Text } from "@mantine/core";
import type { Whole } from "../api/whole.ts";
import { count } from "./format.ts";

/** Below a list that is longer than what is read of it. */
export function Cut({ list }: { list: Whole<unknown> | undefined }) {
  if (!list?.cut) return null;
  return (
    <Text size="sm" c="var(--lw-warn)" p="sm" role="status">
      There are more: only the oldest {count(list.items.length)} are shown.
    </Text>
  );
}
