import { title } from "./format.ts";
import classes from "./StateBadge.module.css";

type Tone = "quiet" | "busy" | "waits" | "good" | "bad";

/** What a state asks of a reader: nothing, watching, acting. Every machine's states in one table. */
const TONES: Record<string, Tone> = {
  // campaigns and rounds
  active: "busy",
  paused: "waits",
  draining: "waits",
  finished: "good",
  cancelled: "quiet",
  proposing: "busy",
  awaiting_approval: "waits",
  planning: "busy",
  executing: "busy",
  assessing: "busy",
  closed: "good",
  held: "bad",
  failed: "bad",
  // batches
  approved: "good",
  planned: "quiet",
  rejected: "bad",
  withdrawn: "quiet",
  // plates
  dispensing: "busy",
  incubating: "busy",
  reading: "busy",
  passed: "good",
  quarantined: "bad",
  released: "good",
  lost: "bad",
  // jobs
  waiting: "quiet",
  ready: "quiet",
  leased: "busy",
  running: "busy",
  stopping: "waits",
  in_doubt: "bad",
  succeeded: "good",
  plate_lost: "bad",
  // models
  candidate: "quiet",
  promoted: "good",
  retired: "quiet",
  // the stock, what was drawn from it, and what rounds want of it
  available: "good",
  reserved: "busy",
  used: "quiet",
  spent: "good",
  enough: "good",
  short: "bad",
  // instruments, users, tokens
  in_service: "good",
  maintenance: "waits",
  disabled: "quiet",
  expired: "quiet",
  revoked: "quiet",
};

/** A state in words, with a mark whose shape says the same as its colour. */
export function StateBadge({ state, label }: { state: string; label?: string }) {
  const tone = TONES[state] ?? "quiet";
  return (
    <span className={classes.badge} data-tone={tone}>
      <svg viewBox="0 0 10 10" className={classes.mark} aria-hidden="true">
        {MARKS[tone]}
      </svg>
      {title(label ?? state)}
    </span>
  );
}

const MARKS: Record<Tone, React.ReactNode> = {
  quiet: <circle cx="5" cy="5" r="3.2" fill="none" stroke="currentColor" strokeWidth="1.5" />,
  busy: (
    <path
      d="M5 1.6A3.4 3.4 0 1 1 1.6 5"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
    />
  ),
  waits: <path d="M5 1.2 9 8.4H1Z" fill="currentColor" />,
  good: <circle cx="5" cy="5" r="3.8" fill="currentColor" />,
  bad: <rect x="1.4" y="1.4" width="7.2" height="7.2" rx="1" fill="currentColor" />,
};
