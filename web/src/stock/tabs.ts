/** The parts of the stock's page; the first is shown where the address names none. */
export const TABS = [
  { tab: "runs-out", label: "Runs out" },
  { tab: "sources", label: "Source plates" },
  { tab: "reagents", label: "Reagents" },
  { tab: "blanks", label: "Blank plates" },
] as const;

export type Tab = (typeof TABS)[number]["tab"];

/** Weeks that are looked ahead. */
export const WEEKS = [1, 4, 12] as const;
export type Weeks = (typeof WEEKS)[number];
export const USUAL_WEEKS: Weeks = 4;
