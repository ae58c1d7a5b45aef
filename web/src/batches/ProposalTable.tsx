import { IconUserPlus } from "@tabler/icons-react";
import { type ReactNode, useMemo } from "react";
import type { Proposal } from "../api/types.ts";
import { number, percent } from "../display/format.ts";
import { readoutColumns } from "../readouts/columns.tsx";
import { type Column, DataTable } from "../tables/DataTable.tsx";
import { DoubtBar } from "./DoubtBar.tsx";
import classes from "./ProposalTable.module.css";
import { totalSd } from "./review.ts";

type Props = {
  label: string;
  proposals: Proposal[];
  /** Shown where the batch has been carried out. */
  withFate?: boolean;
  withReasonRemoved?: boolean;
  fresh?: ReadonlySet<string>;
  chosen?: ReadonlySet<string>;
  choose?: (chosen: Set<string>) => void;
  looked: string | null;
  onLook: (id: string | null) => void;
  keys?: Record<string, (row: Proposal) => void>;
  height?: number | string;
  main?: boolean;
  empty: ReactNode;
};

/** Below it, the reason needs the room. */
const WIDE = 1000;

const id = (proposal: Proposal) => proposal.id;

/** Experiments with what is predicted of them, sortable, chosen by pointer or keyboard. */
export function ProposalTable(props: Props) {
  const { proposals, withFate = false, withReasonRemoved = false, fresh } = props;
  const most = useMemo(
    () => Math.max(0, ...proposals.flatMap((it) => [it.epistemic_sd ?? 0, it.aleatoric_sd ?? 0])),
    [proposals],
  );
  const contexts = useMemo(() => new Set(proposals.map((it) => it.context)).size, [proposals]);
  const columns = useMemo(
    () => makeColumns({ most, contexts, withFate, withReasonRemoved }, readoutColumns(proposals, WIDE)),
    [most, contexts, withFate, withReasonRemoved, proposals],
  );
  const choice = props.choose && props.chosen ? { chosen: props.chosen, choose: props.choose } : undefined;
  return (
    <DataTable
      label={props.label}
      rows={proposals}
      columns={columns}
      id={id}
      choice={choice}
      looked={props.looked}
      onLook={props.onLook}
      rowTone={(proposal) => (fresh?.has(proposal.id) ? "new" : undefined)}
      height={props.height}
      keys={props.keys}
      main={props.main}
      empty={props.empty}
    />
  );
}

type Shape = { most: number; contexts: number; withFate: boolean; withReasonRemoved: boolean };

function makeColumns(shape: Shape, readouts: Column<Proposal>[]): Column<Proposal>[] {
  const { most, contexts, withFate, withReasonRemoved } = shape;
  const columns: Column<Proposal>[] = [
    {
      key: "rank",
      title: "#",
      hint: "Rank: 1 is the model's first choice",
      numeric: true,
      width: 44,
      by: (it) => it.rank,
      cell: (it) => it.rank,
    },
    {
      key: "perturbation",
      title: "Perturbation",
      by: (it) => it.perturbation,
      cell: (it) => (
        <span className={classes.name} title={it.perturbation}>
          <span className="lw-cut">{it.perturbation}</span>
          {it.origin === "person" ? (
            <IconUserPlus size={14} aria-label="added by hand" className={classes.hand} />
          ) : null}
        </span>
      ),
    },
  ];
  if (contexts > 1) {
    columns.push({
      key: "context",
      title: "Context",
      by: (it) => it.context,
      cell: (it) => <span title={it.context}>{it.context}</span>,
    });
  }
  columns.push(
    {
      key: "mean",
      title: "Mean",
      hint: "Predicted mean of the readout, in normalised units (negative control 0, positive control 1)",
      numeric: true,
      by: (it) => it.mean,
      cell: (it) => number(it.mean),
    },
    {
      key: "doubt",
      title: (
        <span className={classes.doubtTitle}>
          <i style={{ background: "var(--lw-epistemic)" }} /> Epistemic{" "}
          <i style={{ background: "var(--lw-aleatoric)" }} /> aleatoric sd
        </span>
      ),
      hint: "Sorted by both together",
      width: 170,
      by: totalSd,
      cell: (it) => <DoubtBar epistemic={it.epistemic_sd} aleatoric={it.aleatoric_sd} most={most} />,
    },
    {
      key: "hit",
      title: "P(hit)",
      hint: "Hit probability",
      numeric: true,
      by: (it) => it.hit_probability,
      cell: (it) => percent(it.hit_probability),
    },
    ...readouts,
  );
  if (withFate) {
    columns.push({
      key: "fate",
      title: "Fate",
      by: (it) => it.fate,
      cell: (it) => (
        <span title={it.fate_reason ?? undefined}>{it.fate ? it.fate.replaceAll("_", " ") : "not yet"}</span>
      ),
    });
  }
  columns.push({
    key: "reason",
    title: withReasonRemoved ? "Why removed" : "Why",
    grows: true,
    by: (it) => (withReasonRemoved ? it.removed_reason : it.reason),
    cell: (it) => {
      const text = withReasonRemoved ? (it.removed_reason ?? "") : it.reason;
      return (
        <span title={text} className={classes.reason}>
          {text}
        </span>
      );
    },
  });
  return columns;
}
