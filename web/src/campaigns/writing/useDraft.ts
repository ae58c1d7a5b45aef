import { useCallback, useEffect, useRef, useState } from "react";
import { type Draft, EMPTY, keepDraft, readDraft } from "./draft.ts";

export type Change = (how: (draft: Draft) => Draft) => void;

/** The campaign that somebody is writing in this tab; `forget` once it is no draft any more, and the page is left. */
export function useDraft(person: string) {
  const [draft, setDraft] = useState(() => readDraft(sessionStorage, person));
  const isForgotten = useRef(false);
  useEffect(() => {
    if (!isForgotten.current) keepDraft(sessionStorage, person, draft);
  }, [person, draft]);
  const change: Change = useCallback((how) => setDraft(how), []);
  const forget = useCallback(() => {
    isForgotten.current = true;
    keepDraft(sessionStorage, person, EMPTY);
  }, [person]);
  return { draft, change, forget, isForgotten };
}
