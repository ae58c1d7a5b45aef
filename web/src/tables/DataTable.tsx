import { Checkbox, VisuallyHidden } from "@mantine/core";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import {
  type KeyboardEvent,
  type ReactNode,
  useCallback,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { RowBones } from "../display/Bones.tsx";
import { isTyping } from "../shell/typing.ts";
import classes from "./DataTable.module.css";
import { nextSorting, type Sorting, sorted, type Value } from "./sorting.ts";
import { rowWindow } from "./window.ts";

export type Column<T> = {
  key: string;
  title: ReactNode;
  /** Said to screen readers and on hover, where the title is short. */
  hint?: string;
  cell: (row: T) => ReactNode;
  /** What it is sorted by; without it the column is not sortable. */
  by?: (row: T) => Value;
  numeric?: boolean;
  width?: number | string;
  /** Takes what room is left, and is cut where that is too little. */
  grows?: boolean;
  /** Left out on tables narrower than this many pixels. */
  from?: number;
};

type Choice = {
  chosen: ReadonlySet<string>;
  choose: (chosen: Set<string>) => void;
  may?: (id: string) => boolean;
};

type Props<T> = {
  label: string;
  rows: readonly T[] | undefined;
  columns: Column<T>[];
  id: (row: T) => string;
  open?: (row: T) => void;
  empty: ReactNode;
  choice?: Choice;
  /** Told which row the cursor or pointer is on. */
  onLook?: (id: string | null) => void;
  /** Shown as looked at, by whoever else knows (a plot). */
  looked?: string | null;
  rowTone?: (row: T) => "new" | "gone" | undefined;
  /** Fixed height with its own scroll bar; otherwise as long as it is. */
  height?: number | string;
  keys?: Record<string, (row: T) => void>;
  /** Takes j and k when nothing on the page has the focus. */
  main?: boolean;
  initialSorting?: Sorting;
};

const ROW_HEIGHT = 36;
const PRESSED = "a,button,input,select,textarea";

/** A table that is read and worked with from the keyboard: j/k move, Enter opens, x chooses. */
export function DataTable<T>(props: Props<T>) {
  const { label, rows, columns, id, open, empty, choice, onLook, looked, rowTone, height, keys, main } =
    props;
  const name = useId();
  const [sorting, setSorting] = useState<Sorting>(props.initialSorting ?? null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [scroll, setScroll] = useState({ top: 0, height: 800, width: 1200 });
  const box = useRef<HTMLDivElement>(null);

  const shown = useMemo(() => {
    const by = columns.find((column) => column.key === sorting?.key)?.by;
    return sorted(rows ?? [], by, sorting?.descending ?? false);
  }, [rows, columns, sorting]);
  const index = useMemo(() => new Map(shown.map((row, at) => [id(row), at])), [shown, id]);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element || typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(() => {
      setScroll((old) => ({ ...old, height: element.clientHeight, width: element.clientWidth }));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const visible = columns.filter((column) => !column.from || scroll.width >= column.from);
  const view = height
    ? rowWindow(shown.length, ROW_HEIGHT, scroll.top, scroll.height)
    : { first: 0, last: shown.length, before: 0, after: 0 };

  const goTo = useCallback(
    (at: number) => {
      const row = shown[Math.max(0, Math.min(shown.length - 1, at))];
      if (!row) return;
      const next = id(row);
      setCursor(next);
      onLook?.(next);
      const place = (index.get(next) ?? 0) * ROW_HEIGHT;
      const element = box.current;
      if (!element) return;
      if (height) {
        const head = ROW_HEIGHT;
        if (place < element.scrollTop) element.scrollTop = place;
        else if (place + 2 * head > element.scrollTop + element.clientHeight) {
          element.scrollTop = place + 2 * head - element.clientHeight;
        }
      } else {
        element.querySelector(`[data-row="${CSS.escape(next)}"]`)?.scrollIntoView({ block: "nearest" });
      }
    },
    [shown, id, index, onLook, height],
  );

  const toggle = useCallback(
    (key: string) => {
      if (!choice || choice.may?.(key) === false) return;
      const next = new Set(choice.chosen);
      if (!next.delete(key)) next.add(key);
      choice.choose(next);
    },
    [choice],
  );

  const onKey = useCallback(
    (event: KeyboardEvent | globalThis.KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      // They press what has the focus, and not the row that the cursor is on.
      const presses = event.key === "Enter" || event.key === " ";
      if (presses && event.target instanceof Element && event.target.closest(PRESSED)) return;
      const at = cursor === null ? -1 : (index.get(cursor) ?? -1);
      const row = at >= 0 ? shown[at] : undefined;
      const moves: Record<string, number> = { j: at + 1, ArrowDown: at + 1, k: at - 1, ArrowUp: at - 1 };
      const ends: Record<string, number> = { Home: 0, End: shown.length - 1 };
      const target = moves[event.key] ?? ends[event.key];
      if (target !== undefined) goTo(target);
      else if (event.key === "Enter" && row && open) open(row);
      else if ((event.key === "x" || event.key === " ") && row && choice) toggle(id(row));
      else if (row && keys?.[event.key]) keys[event.key]?.(row);
      else return;
      event.preventDefault();
    },
    [cursor, index, shown, goTo, open, choice, toggle, id, keys],
  );

  useEffect(() => {
    if (!main) return;
    const listen = (event: globalThis.KeyboardEvent) => {
      const onNothing = document.activeElement === document.body || document.activeElement === null;
      const isLetter = event.key.length === 1 && event.key !== " ";
      if (!isTyping(event) && (onNothing || isLetter) && !isInside(box.current, event)) onKey(event);
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, [main, onKey]);

  const choosable = choice ? shown.filter((row) => choice.may?.(id(row)) !== false) : [];
  const chosenHere = choosable.filter((row) => choice?.chosen.has(id(row))).length;
  const nothing = rows !== undefined && shown.length === 0;

  return (
    <div
      ref={box}
      className={classes.box}
      style={height ? { height: nothing ? undefined : height, overflowY: "auto" } : undefined}
      onScroll={
        height
          ? (event) => setScroll((old) => ({ ...old, top: (event.target as HTMLElement).scrollTop }))
          : undefined
      }
    >
      {rows === undefined ? <RowBones /> : null}
      {nothing ? empty : null}
      {rows !== undefined && !nothing ? (
        <table
          className={classes.table}
          role="grid"
          aria-label={label}
          aria-rowcount={shown.length + 1}
          aria-activedescendant={cursor !== null && index.has(cursor) ? `${name}-${cursor}` : undefined}
          tabIndex={0}
          onKeyDown={onKey}
          onMouseLeave={() => onLook?.(null)}
        >
          <thead>
            <tr>
              {choice ? (
                <th className={classes.choice} scope="col">
                  <Checkbox
                    size="xs"
                    aria-label="Choose all"
                    checked={choosable.length > 0 && chosenHere === choosable.length}
                    indeterminate={chosenHere > 0 && chosenHere < choosable.length}
                    onChange={(event) =>
                      choice.choose(new Set(event.currentTarget.checked ? choosable.map(id) : []))
                    }
                  />
                </th>
              ) : null}
              {visible.map((column) => (
                <th
                  key={column.key}
                  scope="col"
                  data-numeric={column.numeric || undefined}
                  style={{ width: column.width }}
                  title={column.hint}
                  aria-sort={
                    sorting?.key === column.key
                      ? sorting.descending
                        ? "descending"
                        : "ascending"
                      : undefined
                  }
                >
                  {column.by ? (
                    <button
                      type="button"
                      className={classes.sort}
                      onClick={() =>
                        setSorting((now) => nextSorting(now, column.key, Boolean(column.numeric)))
                      }
                    >
                      {column.title}
                      {sorting?.key === column.key ? (
                        sorting.descending ? (
                          <IconArrowDown size={12} aria-hidden />
                        ) : (
                          <IconArrowUp size={12} aria-hidden />
                        )
                      ) : null}
                    </button>
                  ) : (
                    (column.title ?? <VisuallyHidden>{column.hint}</VisuallyHidden>)
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {view.before > 0 ? <tr aria-hidden style={{ height: view.before }} /> : null}
            {shown.slice(view.first, view.last).map((row, offset) => {
              const key = id(row);
              return (
                <tr
                  key={key}
                  id={`${name}-${key}`}
                  data-row={key}
                  aria-rowindex={view.first + offset + 2}
                  aria-selected={choice ? choice.chosen.has(key) : cursor === key}
                  data-cursor={cursor === key || undefined}
                  data-looked={looked === key || undefined}
                  data-chosen={choice?.chosen.has(key) || undefined}
                  data-tone={rowTone?.(row)}
                  data-opens={open ? true : undefined}
                  onMouseEnter={onLook ? () => onLook(key) : undefined}
                  onClick={(event) => {
                    setCursor(key);
                    if ((event.target as HTMLElement).closest("a,button,input,label")) return;
                    if (open) open(row);
                    else toggle(key);
                  }}
                >
                  {choice ? (
                    <td className={classes.choice}>
                      <Checkbox
                        size="xs"
                        aria-label="Choose"
                        checked={choice.chosen.has(key)}
                        disabled={choice.may?.(key) === false}
                        onChange={() => toggle(key)}
                        tabIndex={-1}
                      />
                    </td>
                  ) : null}
                  {visible.map((column) => (
                    <td
                      key={column.key}
                      data-numeric={column.numeric || undefined}
                      data-grows={column.grows || undefined}
                    >
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
              );
            })}
            {view.after > 0 ? <tr aria-hidden style={{ height: view.after }} /> : null}
          </tbody>
        </table>
      ) : null}
    </div>
  );
}

const isInside = (element: HTMLElement | null, event: globalThis.KeyboardEvent) =>
  element !== null && event.target instanceof Node && element.contains(event.target);
