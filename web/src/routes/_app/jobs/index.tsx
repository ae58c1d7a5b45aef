import { Select } from "@mantine/core";
import { IconListDetails } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { createFileRoute, Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { jobsQuery } from "../../../api/queries.ts";
import type { JobKind, JobState } from "../../../api/types.ts";
import { FailedOr } from "../../../display/FailedOr.tsx";
import { title } from "../../../display/format.ts";
import { Nothing } from "../../../display/Nothing.tsx";
import { Older } from "../../../display/Older.tsx";
import { PageHead } from "../../../display/PageHead.tsx";
import { Panel } from "../../../display/Panel.tsx";
import { jobColumns } from "../../../jobs/columns.tsx";
import { DataTable } from "../../../tables/DataTable.tsx";

const STATES: JobState[] = [
  "in_doubt",
  "waiting",
  "ready",
  "leased",
  "running",
  "stopping",
  "succeeded",
  "failed",
  "cancelled",
  "plate_lost",
];
const KINDS: JobKind[] = [
  "train",
  "propose",
  "predict",
  "screen",
  "dispense",
  "move",
  "incubate",
  "read",
  "manual",
];
type Search = { state?: JobState; kind?: JobKind; instrument?: string };

export const Route = createFileRoute("/_app/jobs/")({
  validateSearch: (search: Record<string, unknown>): Search => ({
    state: STATES.find((state) => state === search.state),
    kind: KINDS.find((kind) => kind === search.kind),
    instrument: typeof search.instrument === "string" ? search.instrument : undefined,
  }),
  component: Page,
});

const options = (names: readonly string[]) => names.map((name) => ({ value: name, label: title(name) }));

function Page() {
  const search = Route.useSearch();
  const navigate = useNavigate();
  const jobs = useInfiniteQuery(jobsQuery(search));
  const rows = useMemo(() => jobs.data?.pages.flatMap((page) => page.items), [jobs.data]);
  const columns = useMemo(jobColumns, []);
  const filtered = Boolean(search.state ?? search.kind ?? search.instrument);
  return (
    <>
      <PageHead
        title="Jobs"
        note="Units of work in the queue, newest first: what learners, robots and people do."
      />
      <Panel
        title="Queue"
        note={
          search.instrument ? (
            <>
              addressed to {search.instrument} ·{" "}
              <Link to="/jobs" search={{ ...search, instrument: undefined }}>
                of all
              </Link>
            </>
          ) : null
        }
        flush
        actions={
          <>
            <Select
              aria-label="State"
              placeholder="Every state"
              size="xs"
              w={140}
              clearable
              data={options(STATES)}
              value={search.state ?? null}
              onChange={(state) =>
                navigate({ to: "/jobs", search: { ...search, state: (state as JobState) ?? undefined } })
              }
            />
            <Select
              aria-label="Kind"
              placeholder="Every kind"
              size="xs"
              w={140}
              clearable
              data={options(KINDS)}
              value={search.kind ?? null}
              onChange={(kind) =>
                navigate({ to: "/jobs", search: { ...search, kind: (kind as JobKind) ?? undefined } })
              }
            />
          </>
        }
      >
        <FailedOr read={jobs} what="The jobs cannot be read">
          <DataTable
            label="Jobs"
            main
            rows={rows}
            columns={columns}
            id={(job) => job.id}
            open={(job) => navigate({ to: "/jobs/$jobId", params: { jobId: job.id } })}
            height="calc(100dvh - 230px)"
            empty={
              <Nothing icon={IconListDetails} title={filtered ? "No job fits" : "No jobs yet"}>
                {search.state === "in_doubt"
                  ? "Good: of everything that was begun, it is known how it ended."
                  : "Training, proposing, dispensing, moving and reading show here as they are asked for."}
              </Nothing>
            }
          />
        </FailedOr>
        <Older read={jobs} ruled />
      </Panel>
    </>
  );
}
