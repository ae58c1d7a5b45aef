import { ActionIcon, Alert, Button, Group } from "@mantine/core";
import {
  IconAlertTriangle,
  IconCalendarOff,
  IconCalendarWeek,
  IconChevronLeft,
  IconChevronRight,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { isMissing } from "../../api/problem.ts";
import { calendarQuery, campaignsQuery, clockQuery } from "../../api/queries.ts";
import { Blackouts } from "../../calendar/Blackouts.tsx";
import classes from "../../calendar/Calendar.module.css";
import { WeekView } from "../../calendar/WeekView.tsx";
import { addWeeks, dayName, daysOf, mondayOf, parseDay } from "../../calendar/week.ts";
import { Upcoming } from "../../campaigns/Upcoming.tsx";
import { BlockBones } from "../../display/Bones.tsx";
import { FailedOr } from "../../display/FailedOr.tsx";
import { Nothing } from "../../display/Nothing.tsx";
import { PageHead } from "../../display/PageHead.tsx";
import { Panel } from "../../display/Panel.tsx";
import { useNow } from "../../display/When.tsx";

export const Route = createFileRoute("/_app/calendar")({
  validateSearch: (search: Record<string, unknown>): { week?: string } => ({
    week: typeof search.week === "string" && parseDay(search.week) ? search.week : undefined,
  }),
  component: Page,
});

const weekFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });

function Page() {
  const { week } = Route.useSearch();
  const navigate = useNavigate();
  const clock = useQuery(clockQuery);
  const real = useNow();
  // The calendar follows the laboratory's clock, which a demo moves by jumps.
  const now = clock.data?.mode === "jumping" ? new Date(clock.data.lab_at) : real;
  const asked = parseDay(week);
  const monday = dayName(mondayOf(asked ?? now));
  const days = useMemo(() => daysOf(parseDay(monday) ?? new Date()), [monday]);
  const from = days[0]?.start ?? now;
  const to = days.at(-1)?.end ?? now;
  const calendar = useQuery({
    ...calendarQuery(from.toISOString(), to.toISOString()),
    enabled: clock.data !== undefined,
  });
  const campaigns = useQuery(campaignsQuery);
  const running = campaigns.data?.items.filter((it) => it.state === "active" || it.state === "paused") ?? [];
  const go = (weeks: number) =>
    navigate({ to: "/calendar", search: { week: dayName(addWeeks(from, weeks)) } });
  const unfit = calendar.data?.items.filter((item) => !item.fits) ?? [];
  return (
    <>
      <PageHead
        title="Calendar"
        note={
          clock.data?.mode === "jumping"
            ? "What is due in laboratory time, which jumps in a demo; shown in your time zone."
            : "When rounds begin, by when approval is needed, what runs where; shown in your time zone."
        }
        actions={
          <Group gap="xs">
            <ActionIcon variant="default" size="lg" aria-label="The week before" onClick={() => go(-1)}>
              <IconChevronLeft size={17} />
            </ActionIcon>
            <Button variant="default" onClick={() => navigate({ to: "/calendar", search: {} })}>
              This week
            </Button>
            <ActionIcon variant="default" size="lg" aria-label="The week after" onClick={() => go(1)}>
              <IconChevronRight size={17} />
            </ActionIcon>
          </Group>
        }
      />
      {unfit.length > 0 ? (
        <Alert
          color="red"
          variant="light"
          mb="md"
          icon={<IconAlertTriangle size={18} />}
          title="Not everything fits this week"
        >
          <ul style={{ margin: 0, paddingLeft: 18 }}>
            {unfit.map((item) => (
              <li key={`${item.campaign_id}-${item.instrument}-${item.title}-${item.from_lab_at}`}>
                {item.campaign ? `${item.campaign}, ` : ""}
                {item.title}: {item.why_not}
              </li>
            ))}
          </ul>
        </Alert>
      ) : null}
      <Panel title={`Week of ${weekFormat.format(from)}`} note="Dashed: expected" flush>
        {calendar.data ? (
          calendar.data.items.length > 0 ? (
            <div style={{ overflowX: "auto" }}>
              <WeekView items={calendar.data.items} load={calendar.data.load} days={days} now={now} />
            </div>
          ) : (
            <Nothing icon={IconCalendarWeek} title="Nothing is due this week">
              Rounds, approvals, plates on instruments, closures and maintenance stand here as soon as the
              calendar knows of them.
            </Nothing>
          )
        ) : isMissing(calendar.error) ? (
          <Nothing icon={IconCalendarOff} title="This server has no calendar">
            It is older than this app. Each campaign's own page says when its rounds began.
          </Nothing>
        ) : (
          <FailedOr read={calendar} what="The calendar cannot be read">
            <div style={{ padding: 16 }}>
              <BlockBones height={300} />
            </div>
          </FailedOr>
        )}
      </Panel>
      <div className={classes.below}>
        <Blackouts />
        <div className={classes.next}>
          {running.map((campaign) => (
            <Upcoming key={campaign.id} campaign={campaign.id} title={`Next rounds of ${campaign.name}`} />
          ))}
        </div>
      </div>
    </>
  );
}
