import type { RefObject } from "react";
import { STOP_KEY } from "../laboratory/StopAll.tsx";
import { isTyping } from "../shell/typing.ts";

/** A scanner types faster than this from key to key, and no hand does. */
export const SCANNER_MS = 50;

/** While the key that stops everything is let through: each step in hand listens. */
let passes = false;

/**
 * A scanner types wherever the page is: its Enter must not press the button that happens to be chosen, nor its letters
 * lead to another page. So what is typed goes into the field, unless another one is being written in.
 *
 * But for the key that stops everything, which works from every page. Whether it is the first letter of a barcode shows
 * only by what follows: it waits that long, since what follows must not be taken for the reason of a stop. `begin` puts
 * it into the field then.
 */
export function everyKeyInto(
  field: RefObject<HTMLInputElement | null>,
  begin: (text: string) => void,
): () => void {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  const pass = () => {
    waiting = undefined;
    passes = true;
    document.dispatchEvent(new KeyboardEvent("keydown", { key: STOP_KEY, cancelable: true }));
    passes = false;
  };
  const listen = (event: KeyboardEvent) => {
    if (passes) return;
    const writes = event.key.length === 1 && event.key !== " ";
    if (!writes || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    event.stopImmediatePropagation();
    if (waiting === undefined && event.key === STOP_KEY) {
      event.preventDefault();
      waiting = setTimeout(pass, SCANNER_MS);
      return;
    }
    if (waiting !== undefined) {
      clearTimeout(waiting);
      waiting = undefined;
      begin(STOP_KEY);
    }
    field.current?.focus();
  };
  document.addEventListener("keydown", listen, true);
  return () => {
    clearTimeout(waiting);
    document.removeEventListener("keydown", listen, true);
  };
}
