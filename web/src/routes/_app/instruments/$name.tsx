import { IconListDetails } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { createFileRoute, Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { blackoutsQuery, jobsQuery } from "../../../api/queries.ts";
import type { InstrumentWork } from "../../../api/types.ts";
import { BlockBones } from "../../../display/Bones.tsx";
import { type Fact, Facts } from "../../../display/Facts.tsx";
import { FailedOr } from "../../../display/FailedOr.tsx";
import { count, percent, plural } from "../../../display/format.ts";
import { Nothing } from "../../../display/Nothing.tsx";
import { Older } from "../../../display/Older.tsx";
import { PageHead } from "../../../display/PageHead.tsx";
import { Panel } from "../../../display/Panel.tsx";
import { ProblemNotice } from "../../../display/ProblemNotice.tsx";
import { StateBadge } from "../../../display/StateBadge.tsx";
import { LabWhen, useNow, When } from "../../../display/When.tsx";
import { Days } from "../../../instruments/Days.tsx";
import classes from "../../../instruments/Instrument.module.css";
import { Kinds } from "../../../instruments/Kinds.tsx";
import type { InstrumentNow } from "../../../instruments/now.ts";
import { isSilent, profileWords } from "../../../instruments/profile.ts";
import { DAYS, instrumentQuery, instrumentWorkQuery } from "../../../instruments/queries.ts";
import { atOnce, inAll } from "../../../instruments/work.ts";
import { jobColumns } from "../../../jobs/columns.tsx";
import { Orders } from "../../../orders/Orders.tsx";
import { DataTable } from "../../../tables/DataTable.tsx";

export const Route = createFileRoute("/_app/instruments/$name")({ component: Page });

const ABOVE = [{ label: "Instruments", link: { to: "/instruments" as const } }];

function Page() {
  const { name } = Route.useParams();
  const instrument = useQuery(instrumentQuery(name));
  if (instrument.data) return <Shown key={name} instrument={instrument.data} />;
  return (
    <>
      <PageHead title={name} above={ABOVE} />
      {instrument.error ? (
        <ProblemNotice
          what="The instrument cannot be shown"
          error={instrument.error}
          again={() => void instrument.refetch()}
        />
      ) : (
        <BlockBones height={520} />
      )}
    </>
  );
}

function Shown({ instrument }: { instrument: InstrumentNow }) {
  const now = useNow();
  const work = useQuery(instrumentWorkQuery(instrument.name));
  const places = atOnce(instrument.capabilities, instrument.profile);
  return (
    <>
      <PageHead
        title={instrument.name}
        above={ABOVE}
        badge={<StateBadge state={instrument.state} />}
        note={instrument.capabilities.join(", ") || "It can do nothing yet."}
        actions={
          <Orders
            subject={{ kind: "instrument", id: instrument.name, name: instrument.name }}
            state={instrument.state}
          />
        }
      />
      <div className={classes.page}>
        <About instrument={instrument} now={now} />
        <div className={classes.two}>
          <Panel title="How busy it was" note={`the last ${DAYS} days`}>
            <FailedOr read={work} what="Its work cannot be read">
              {work.data ? <Days work={work.data} places={places} now={now} /> : <BlockBones height={340} />}
            </FailedOr>
          </Panel>
          <Panel title="What it did" note={`the last ${DAYS} days`}>
            <FailedOr read={work} what="Its work cannot be read">
              {work.data ? <Ended work={work.data} /> : <BlockBones height={120} />}
            </FailedOr>
          </Panel>
        </div>
        <Steps name={instrument.name} />
      </div>
    </>
  );
}

function Ended({ work }: { work: InstrumentWork }) {
  const { ended, badly } = inAll(work.kinds);
  const facts: Fact[] = [
    { label: "Running", value: count(work.running) },
    {
      label: "Ready",
      value: count(work.ready),
      hint: "May begin on it as far as their plates are concerned",
    },
    { label: "Waiting", value: count(work.waiting), hint: "For other steps, or for their time" },
    { label: "In doubt", value: work.in_doubt ? <DoubtLink count={work.in_doubt} /> : "0" },
    { label: "Ended well", value: ended ? percent((ended - badly) / ended) : "–" },
  ];
  return (
    <>
      <Facts facts={facts} />
      <Kinds kinds={work.kinds} />
    </>
  );
}

function DoubtLink({ count: n }: { count: number }) {
  const { name } = Route.useParams();
  return (
    <Link to="/jobs" search={{ state: "in_doubt", instrument: name }} className={classes.bad}>
      {count(n)}
    </Link>
  );
}

/** Why it is out of service, when it was heard of, what it has room for, when it is away. */
function About({ instrument, now }: { instrument: InstrumentNow; now: Date }) {
  const blackouts = useQuery(blackoutsQuery);
  const silent = isSilent(instrument, now);
  const away = (blackouts.data ?? []).filter((it) => it.instrument === instrument.name);
  const next = [...away].sort((a, b) => a.from_lab_at.localeCompare(b.from_lab_at))[0];
  const facts: Fact[] = [
    {
      label: silent ? "Agent last heard: silent" : "Agent last heard",
      value: (
        <span className={silent ? classes.bad : undefined}>
          <When at={instrument.last_seen_at} none="never" />
        </span>
      ),
    },
    { label: "Places and capacity", value: profileWords(instrument.profile) },
    ...(instrument.state_since
      ? [{ label: "In this state since", value: <When at={instrument.state_since} /> }]
      : []),
    ...(instrument.state !== "in_service"
      ? [
          {
            label: instrument.state_by ? `Why, by ${instrument.state_by}` : "Why",
            value: instrument.state_reason ?? "no reason given",
          },
          { label: "Expected back", value: <LabWhen at={instrument.back_lab_at} /> },
        ]
      : []),
    {
      label: away.length > 1 ? `Next maintenance, of ${plural(away.length, "closure")}` : "Next maintenance",
      value: next ? <LabWhen at={next.from_lab_at} /> : "none planned",
      hint: next?.reason,
    },
  ];
  return (
    <Panel title="Instrument">
      <Facts facts={facts} />
    </Panel>
  );
}

/** Every step that was addressed to it, the newest first. */
function Steps({ name }: { name: string }) {
  const navigate = useNavigate();
  const jobs = useInfiniteQuery(jobsQuery({ instrument: name }));
  const rows = useMemo(() => jobs.data?.pages.flatMap((page) => page.items), [jobs.data]);
  const columns = useMemo(() => jobColumns().filter((column) => column.key !== "where"), []);
  return (
    <Panel title="Its steps" note="the newest first" flush>
      <FailedOr read={jobs} what="Its steps cannot be read">
        <DataTable
          label="Steps of this instrument"
          main
          rows={rows}
          columns={columns}
          id={(job) => job.id}
          open={(job) => navigate({ to: "/jobs/$jobId", params: { jobId: job.id } })}
          height="480px"
          empty={
            <Nothing icon={IconListDetails} title="No step yet">
              Steps show here as soon as a round is planned on a bench that has this instrument.
            </Nothing>
          }
        />
      </FailedOr>
      <Older read={jobs} ruled />
    </Panel>
  );
}
