import { useCallback, useEffect, useRef } from "react";
import { sayProblem } from "./said.ts";

/** For `onError` of what a dialog asks for: says in the corner what failed when the dialog is not there to say it. */
export function useSayIfGone(failed: string, opened = true): (error: unknown) => void {
  const there = useRef(opened);
  useEffect(() => {
    there.current = opened;
    return () => {
      there.current = false;
    };
  }, [opened]);
  return useCallback(
    (error) => {
      if (!there.current) sayProblem(failed, error);
    },
    [failed],
  );
}
