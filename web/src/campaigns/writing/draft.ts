// A campaign that is being written, kept in its browser tab: it survives a reload and a new sign-in, and ends with
// the tab. Nothing secret is in it, and each person has one of their own.

/** A file that the server has. */
export type Stored = { sha256: string; title: string; size: number };

export type Draft = {
  /** The campaign file. */
  toml: string;
  /** What the text was begun from: while it is the same, nothing is lost. */
  origin: string;
  /** Name of the file on disk that it was opened from. */
  title: string | null;
  /** Chosen by hand. */
  projectId: string | null;
  /** Files of an earlier campaign, which the server has: digests by the names in its file. */
  earlier: { campaign: string; files: Record<string, string> } | null;
  /** What was sent, by the names in the campaign file. */
  stored: Record<string, Stored>;
};

/** A text that takes the place of what is written. */
export type Beginning = Pick<Draft, "toml"> & Partial<Pick<Draft, "title" | "projectId" | "earlier">>;

export const EMPTY: Draft = { toml: "", origin: "", title: null, projectId: null, earlier: null, stored: {} };

export const isBlank = ({ toml }: Draft) => toml.trim() === "";

/** Whether something was written that is nowhere else. */
export const isUnsaved = (draft: Draft) => !isBlank(draft) && draft.toml !== draft.origin;

/**
 * Begins anew. Files that were sent stay only where the same file of the disk is opened again: another campaign's
 * may have the same names and not the same content.
 */
export function begin(draft: Draft, { toml, title = null, projectId, earlier = null }: Beginning): Draft {
  const isSame = title !== null && title === draft.title;
  return {
    toml,
    origin: toml,
    title,
    projectId: projectId ?? draft.projectId,
    earlier,
    stored: isSame ? draft.stored : {},
  };
}

const keyOf = (person: string) => `loopwright.campaign-draft.${person}`;

export function readDraft(storage: Storage, person: string): Draft {
  try {
    const kept: unknown = JSON.parse(storage.getItem(keyOf(person)) ?? "null");
    return isDraft(kept) ? { ...EMPTY, ...kept } : EMPTY;
  } catch {
    return EMPTY;
  }
}

const isDraft = (kept: unknown): kept is Draft =>
  typeof kept === "object" && kept !== null && "toml" in kept && typeof kept.toml === "string";

export function keepDraft(storage: Storage, person: string, draft: Draft) {
  try {
    if (isBlank(draft)) storage.removeItem(keyOf(person));
    else storage.setItem(keyOf(person), JSON.stringify(draft));
  } catch {
    // No room, or none is allowed: then it lives as long as the page.
  }
}
