import { plural } from "../../display/format.ts";
import type { Row } from "./files.ts";

type Standing = {
  isBlank: boolean;
  /** What is known of the text as it stands; `null` while it is being checked, or cannot be. */
  problems: number | null;
  isFailed: boolean;
  rows: readonly Row[];
};

/** Why the campaign cannot be created yet, in a sentence; `null` when it can. */
export function whyNot({ isBlank, problems, isFailed, rows }: Standing): string | null {
  if (isBlank) return "There is no text yet.";
  if (isFailed) return "The text could not be checked.";
  if (problems === null) return "The text is being checked.";
  if (problems > 0) return `The text has ${plural(problems, "problem")}.`;
  return (
    about(rows, "failed", "was not stored", "were not stored") ??
    about(rows, "missing", "is missing", "are missing") ??
    about(rows, "sending", "is on its way", "are on their way")
  );
}

function about(rows: readonly Row[], state: Row["state"], one: string, many: string): string | null {
  const names = rows.filter((row) => row.state === state).map((row) => row.name);
  if (names.length === 0) return null;
  return names.length === 1 ? `${names[0]} ${one}.` : `${names.length} files ${many}: ${names.join(", ")}.`;
}
