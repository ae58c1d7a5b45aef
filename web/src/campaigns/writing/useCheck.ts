import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client.ts";
import type { CampaignCheck } from "../../api/types.ts";

/** So long after the last key. */
const QUIET_MS = 500;

export type Checked = {
  /** Of the text as it stands; `null` while it is not known. */
  now: CampaignCheck | null;
  /** What is shown meanwhile: of an earlier text, perhaps. */
  shown: CampaignCheck | null;
  /** Of the last text that was right. */
  right: CampaignCheck | null;
  isChecking: boolean;
  error: unknown;
  again: () => void;
};

/**
 * What the server says of the text, asked when typing stops. An older question is given up when a newer one is asked:
 * the query of a text that nobody looks at is aborted.
 */
export function useCheck(toml: string, project: string | null, isReady: boolean): Checked {
  const [settled] = useDebouncedValue(toml, QUIET_MS);
  const isBlank = toml.trim() === "";
  const read = useQuery({
    queryKey: ["campaign-check", project, settled],
    queryFn: ({ signal }) =>
      answer<CampaignCheck>(
        api.POST("/api/v1/campaigns/check", { body: { toml: settled, project_id: project }, signal }),
      ),
    enabled: isReady && settled.trim() !== "",
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    gcTime: 60_000,
  });
  const isSettled = settled === toml && isReady;
  const now = isSettled && !isBlank && !read.isPlaceholderData ? (read.data ?? null) : null;
  const [right, setRight] = useState<CampaignCheck | null>(null);
  if (isBlank && right) setRight(null);
  if (now && now !== right && now.problems.length === 0) setRight(now);
  const error = isSettled && !isBlank ? read.error : null;
  return {
    now,
    shown: isBlank ? null : (now ?? read.data ?? null),
    right,
    isChecking: !isBlank && now === null && error === null,
    error,
    again: () => void read.refetch(),
  };
}
