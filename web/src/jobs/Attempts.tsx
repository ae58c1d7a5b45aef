import { IconHistory } from "@tabler/icons-react";
import { useMemo } from "react";
import type { JobDetail } from "../api/types.ts";
import { duration } from "../display/format.ts";
import { Nothing } from "../display/Nothing.tsx";
import { Panel } from "../display/Panel.tsx";
import { When } from "../display/When.tsx";
import { type Column, DataTable } from "../tables/DataTable.tsx";

type Row = {
  key: string;
  what: string;
  who: string;
  ended: string;
  at: string;
  seconds: number | null;
};

/** Everything that was ever tried and said of a job, also what came late. */
export function Attempts({ job }: { job: JobDetail }) {
  const rows = useMemo((): Row[] => {
    const attempts = job.attempts.map((it) => ({
      key: `attempt-${it.attempt}`,
      what: `Attempt ${it.attempt}`,
      who: it.worker,
      ended: it.ending,
      at: it.ended_at,
      seconds: it.started_at ? (Date.parse(it.ended_at) - Date.parse(it.started_at)) / 1000 : null,
    }));
    const reports = job.reports.map((it, index) => ({
      key: `report-${index}`,
      what: "Report",
      who: it.by,
      ended: it.disposition === "accepted" ? "accepted" : "kept as evidence",
      at: it.received_at,
      seconds: null,
    }));
    return [...attempts, ...reports].sort((a, b) => a.at.localeCompare(b.at));
  }, [job]);
  const columns = useMemo(makeColumns, []);
  return (
    <Panel title="Attempts and reports" flush>
      <DataTable
        label="Attempts and reports"
        rows={rows}
        columns={columns}
        id={(row) => row.key}
        empty={
          <Nothing icon={IconHistory} title="Nobody has taken it yet">
            Each lease, and each report with what became of it, is kept here.
          </Nothing>
        }
      />
    </Panel>
  );
}

const makeColumns = (): Column<Row>[] => [
  { key: "what", title: "What", cell: (it) => <strong>{it.what}</strong> },
  { key: "who", title: "By", cell: (it) => <span title={it.who}>{it.who}</span> },
  { key: "ended", title: "How", cell: (it) => it.ended.replaceAll("_", " ") },
  { key: "seconds", title: "Took", numeric: true, cell: (it) => duration(it.seconds) },
  { key: "at", title: "When", cell: (it) => <When at={it.at} /> },
];
