import { type Ref, useImperativeHandle, useRef } from "react";
import type { FileProblem } from "../../api/types.ts";
import classes from "./Editor.module.css";
import { lineCount, offsetOf } from "./lines.ts";

export type EditorHandle = { goTo: (line: number, column: number) => void };

type Props = {
  value: string;
  change: (value: string) => void;
  problems: readonly FileProblem[];
  warnings: readonly FileProblem[];
  /** Id of what says how the text stands. */
  describedBy: string;
  ref: Ref<EditorHandle>;
};

const PLACEHOLDER = `# The campaign, as TOML: goal, design space,
# assay, budget, calendar. Write it here, drop its
# file on the page, or start from the example.`;

/** The text with the numbers of its lines. Tab leaves it, as every field: there is no trap for the keyboard. */
export function Editor({ value, change, problems, warnings, describedBy, ref }: Props) {
  const text = useRef<HTMLTextAreaElement>(null);
  const moved = useRef<HTMLDivElement>(null);
  useImperativeHandle(ref, () => ({
    goTo(line, column) {
      const field = text.current;
      if (!field) return;
      const at = offsetOf(field.value, line, column);
      field.focus();
      field.setSelectionRange(at, at);
      const height = Number.parseFloat(getComputedStyle(field).lineHeight) || 20;
      field.scrollTop = Math.max(0, (line - 0.5) * height - field.clientHeight / 2);
      field.scrollLeft = 0;
    },
  }));
  const count = lineCount(value);
  return (
    <div className={classes.editor}>
      <div className={classes.gutter} aria-hidden>
        <div ref={moved} className={classes.moved}>
          <div className={classes.numbers}>{numbers(count)}</div>
          {[...marks(problems, warnings)].map(([line, { kind, reason }]) =>
            line > count ? null : (
              <div
                key={line}
                className={classes.mark}
                data-kind={kind}
                title={reason}
                style={{ top: `calc(${line - 1} * var(--line))` }}
              >
                <svg viewBox="0 0 8 8" aria-hidden="true">
                  {kind === "problem" ? (
                    <rect width="8" height="8" rx="1" fill="currentColor" />
                  ) : (
                    <path d="M4 0 8 8H0Z" fill="currentColor" />
                  )}
                </svg>
                {line}
              </div>
            ),
          )}
        </div>
      </div>
      <textarea
        ref={text}
        className={classes.text}
        aria-label="Text of the campaign"
        aria-describedby={describedBy}
        aria-invalid={problems.length > 0}
        placeholder={PLACEHOLDER}
        wrap="off"
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        autoCorrect="off"
        value={value}
        onChange={(event) => change(event.currentTarget.value)}
        onScroll={({ currentTarget }) => {
          if (moved.current) moved.current.style.transform = `translateY(${-currentTarget.scrollTop}px)`;
        }}
      />
    </div>
  );
}

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at + 1).join("\n");

type Mark = { kind: "problem" | "warning"; reason: string };

/** One mark a line: a problem counts before a warning. */
function marks(problems: readonly FileProblem[], warnings: readonly FileProblem[]): Map<number, Mark> {
  const found = new Map<number, Mark>();
  for (const [kind, list] of [
    ["problem", problems],
    ["warning", warnings],
  ] as const) {
    for (const { line, reason } of list) {
      const before = found.get(line);
      if (!before) found.set(line, { kind, reason });
      else if (before.kind === kind) before.reason += `\n${reason}`;
    }
  }
  return found;
}
