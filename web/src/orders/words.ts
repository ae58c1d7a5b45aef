// What each order does, in words, before it is given. Pure.

import type { Order, SubjectKind } from "./types.ts";

export type Words = {
  /** In the menu, before the subject's name: "Pause". */
  verb: string;
  /** What it does, in a sentence or two. */
  does: string;
  /** What the button says. */
  button: string;
  /** What is said when it is done. */
  done: string;
  danger?: boolean;
};

export const WORDS: Record<SubjectKind, Record<Order, Words>> = {
  campaign: {
    pause: {
      verb: "Pause",
      does: "Nothing of it is given out any more. What devices have begun goes to its end; plates in an incubator stay there.",
      button: "Pause",
      done: "Paused: nothing of it is given out.",
    },
    drain: {
      verb: "Drain",
      does: "Its live round goes to its end, and no further one begins. Then it is paused.",
      button: "Drain",
      done: "It drains: the live round goes to its end.",
    },
    resume: {
      verb: "Resume",
      does: "Work is given out again, and rounds begin by the calendar.",
      button: "Resume",
      done: "Resumed.",
    },
    cancel: {
      verb: "End",
      does: "The live round is cancelled with it, and no further one begins. What was measured stays. This cannot be taken back.",
      button: "End it for good",
      done: "The campaign has ended.",
      danger: true,
    },
  },
  round: {
    pause: {
      verb: "Pause",
      does: "Nothing of it that has not begun begins. What devices do now they finish; plates in an incubator stay there.",
      button: "Pause",
      done: "The round is paused.",
    },
    drain: {
      verb: "Drain",
      does: "Plates that have begun are brought to their end: moved, incubated, read. Nothing else begins; then the round is held.",
      button: "Drain",
      done: "It drains: plates that have begun go to their end.",
    },
    resume: {
      verb: "Resume",
      does: "It goes on from where it was held.",
      button: "Resume",
      done: "The round goes on.",
    },
    cancel: {
      verb: "Cancel",
      does: "Its jobs are cancelled or asked to stop at the next safe point. What was measured stays. This cannot be taken back.",
      button: "Cancel it for good",
      done: "The round is cancelled.",
      danger: true,
    },
  },
  job: {
    pause: {
      verb: "Pause",
      does: "It stays in the queue and is given to nobody. One that is leased and has not begun is taken back.",
      button: "Pause",
      done: "Paused: it is given to nobody.",
    },
    drain: {
      verb: "Drain",
      does: "It goes to its end. What needs it to succeed does not begin.",
      button: "Drain",
      done: "It goes to its end; what follows waits.",
    },
    resume: {
      verb: "Resume",
      does: "It is given out again, and so is what its drain held back.",
      button: "Resume",
      done: "Resumed.",
    },
    cancel: {
      verb: "Cancel",
      does: "It is cancelled at once where nobody has begun it; else its worker is asked to stop at the next safe point. In danger, press the button on the device: this one is not a safety function.",
      button: "Cancel it",
      done: "Asked: it is cancelled, or its worker stops at the next safe point.",
      danger: true,
    },
  },
  instrument: {
    pause: {
      verb: "Pause",
      does: "It goes into maintenance: nothing begins on it. A step that has begun goes to its end; jobs for it wait.",
      button: "Pause",
      done: "It is in maintenance: nothing begins on it.",
    },
    drain: {
      verb: "Drain",
      does: "It does only what belongs to plates that have begun. When nothing of them is left on it, it is in maintenance.",
      button: "Drain",
      done: "It drains: only plates that have begun go on.",
    },
    resume: {
      verb: "Resume",
      does: "Its agent is given jobs again. Make sure that the deck is as the record says: empty, with fresh tips.",
      button: "Put back in service",
      done: "It is back in service.",
    },
    cancel: {
      verb: "Stop what runs on",
      does: "What runs on it is asked to stop at the next safe point, and it goes into maintenance. In danger, press the button on the device: this one is not a safety function.",
      button: "Stop it",
      done: "Asked: what runs on it stops at the next safe point.",
      danger: true,
    },
  },
};
