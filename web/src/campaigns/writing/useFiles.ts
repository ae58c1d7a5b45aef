import { useCallback, useEffect, useRef, useState } from "react";
import type { WantedFile } from "../../api/types.ts";
import type { Draft } from "./draft.ts";
import { matched, rowsOf, type UnderWay } from "./files.ts";
import { failureWords, store, tooMuch } from "./sending.ts";
import type { Change } from "./useDraft.ts";

/**
 * The campaign's files and where each of them is. What is dropped waits until the campaign names it; whatever is
 * given to a name takes the place of what was there.
 */
export function useFiles(wanted: readonly WantedFile[], draft: Draft, change: Change) {
  const { underWay, give, again, clear } = useSending(change);
  const [waiting, setWaiting] = useState<File[]>([]);
  const names = [...new Set(wanted.map((it) => it.name))];
  const { found, strangers } = matched(waiting, names);
  const next = found[0];
  useEffect(() => {
    if (!next) return;
    setWaiting((files) => files.filter((it) => it !== next.file));
    give(next.name, next.file);
  }, [next, give]);
  return {
    rows: rowsOf(wanted, draft, underWay),
    /** Chosen, and not named by the campaign. */
    strangers,
    give,
    again,
    /** Takes up files by their names. */
    offer: useCallback((files: readonly File[]) => {
      const names = files.map((it) => it.name);
      setWaiting((old) => [...old.filter((it) => !names.includes(it.name)), ...files]);
    }, []),
    putAway: useCallback((file: File) => setWaiting((old) => old.filter((it) => it !== file)), []),
    clear,
  };
}

type Sending = { file: File; control: AbortController };

function useSending(change: Change) {
  const [underWay, setUnderWay] = useState<Record<string, UnderWay>>({});
  const sendings = useRef(new Map<string, Sending>());
  const set = useCallback((name: string, now: UnderWay | null) => {
    setUnderWay(({ [name]: _, ...others }) => (now ? { ...others, [name]: now } : others));
  }, []);
  const stopAll = useCallback(() => {
    for (const { control } of sendings.current.values()) control.abort();
    sendings.current.clear();
  }, []);
  useEffect(() => stopAll, [stopAll]);

  const give = useCallback(
    async (name: string, file: File) => {
      sendings.current.get(name)?.control.abort();
      const control = new AbortController();
      sendings.current.set(name, { file, control });
      const of = { title: file.name, size: file.size };
      // A newer file for the same name must not be told of by an older one.
      const tell = (now: UnderWay | null) => {
        if (!control.signal.aborted) set(name, now);
      };
      const why = tooMuch(file.size);
      if (why) return tell({ ...of, state: "failed", why });
      tell({ ...of, state: "sending" });
      try {
        const progress = (share: number) => tell({ ...of, state: "sending", share });
        const stored = await store(file, { signal: control.signal, progress });
        if (control.signal.aborted) return;
        change((draft) => ({ ...draft, stored: { ...draft.stored, [name]: stored } }));
        tell(null);
      } catch (error) {
        tell({ ...of, state: "failed", why: failureWords(error) });
      }
    },
    [change, set],
  );
  const again = useCallback(
    (name: string) => {
      const last = sendings.current.get(name);
      if (last) void give(name, last.file);
    },
    [give],
  );
  /** Gives up whatever is under way: another campaign begins. */
  const clear = useCallback(() => {
    stopAll();
    setUnderWay({});
  }, [stopAll]);
  return { underWay, give, again, clear };
}
