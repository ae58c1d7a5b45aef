import { HoverCard, Text } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import type { CalendarItem, CalendarLoad } from "../api/types.ts";
import { exact, percent, title } from "../display/format.ts";
import classes from "./WeekView.module.css";
import { type Day, lanesOf, loadOf, type Placed } from "./week.ts";

const dayFormat = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });

/** Pixels of the seven days, before they are measured. */
const USUAL_WIDTH = 900;
/** A name is cut at so many pixels; see `.item[data-narrow] span`. */
const WIDEST_LABEL = 280;
/** Of a letter of 12 px, rather too much; and of the gaps around a name. */
const LETTER = 6.6;
const GAPS = 14;
const labelWidth = (name: string) => Math.min(WIDEST_LABEL, name.length * LETTER) + GAPS;

type Props = { items: CalendarItem[]; load: CalendarLoad[]; days: Day[]; now: Date };

/** A week: lanes for rounds, closures and each instrument; what does not fit stands out. */
export function WeekView({ items, load, days, now }: Props) {
  const { ref, width } = useElementSize();
  const lanes = lanesOf(items, days, (item) => labelWidth(nameOf(item)) / (width || USUAL_WIDTH));
  const first = days[0]?.start.getTime() ?? 0;
  const last = days.at(-1)?.end.getTime() ?? 1;
  const at = (now.getTime() - first) / (last - first);
  return (
    <div className={classes.week}>
      <div className={classes.head}>
        <span />
        <div className={classes.days} ref={ref}>
          {days.map((day) => (
            <span key={day.start.toISOString()} data-today={(now >= day.start && now < day.end) || undefined}>
              {dayFormat.format(day.start)}
            </span>
          ))}
        </div>
      </div>
      {lanes.map((lane) => (
        <section key={lane.name} className={classes.lane} aria-label={lane.name}>
          <h3 className="lw-cut" title={lane.name}>
            {lane.name}
          </h3>
          <ul className={classes.track} style={{ height: lane.rows.length * 30 + 8 }}>
            {at >= 0 && at <= 1 ? (
              <li aria-hidden className={classes.now} style={{ left: `${at * 100}%` }} />
            ) : null}
            {lane.rows.flatMap((row, index) =>
              row.map((span) => (
                <Item
                  key={`${span.item.campaign_id}-${span.item.instrument}-${span.item.kind}-${span.item.title}-${span.item.from_lab_at}`}
                  span={span}
                  row={index}
                />
              )),
            )}
          </ul>
          <Taken shares={loadOf(load, lane.name, days)} />
        </section>
      ))}
    </div>
  );
}

/** How much of each day is taken, below an instrument's lane. */
function Taken({ shares }: { shares: (number | null)[] }) {
  if (shares.every((share) => share === null)) return null;
  return (
    <>
      <span className={classes.takenName}>taken</span>
      <div className={classes.taken}>
        {shares.map((share, day) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a day of the week is its place
          <span key={day} data-over={(share !== null && share > 1) || undefined}>
            {share === null ? null : (
              <>
                <i style={{ width: `${Math.min(100, share * 100)}%` }} />
                {Number.isFinite(share) ? percent(share) : "out of service"}
              </>
            )}
          </span>
        ))}
      </div>
    </>
  );
}

function Item({ span, row }: { span: Placed; row: number }) {
  const { item } = span;
  const style = { left: `${span.from * 100}%`, width: `${(span.to - span.from) * 100}%`, top: 4 + row * 30 };
  return (
    <HoverCard width={300} openDelay={150}>
      <HoverCard.Target>
        <li
          className={classes.item}
          style={style}
          tabIndex={0}
          data-kind={item.kind}
          data-uncertain={!item.certain || undefined}
          data-narrow={span.label === "inside" ? undefined : span.label}
          data-unfit={!item.fits || undefined}
          aria-label={`${nameOf(item)}, ${exact(new Date(item.from_lab_at))}${item.fits ? "" : `, does not fit: ${item.why_not ?? ""}`}`}
        >
          <span>{nameOf(item)}</span>
        </li>
      </HoverCard.Target>
      <HoverCard.Dropdown>
        <Text size="sm" fw={600} style={{ overflowWrap: "anywhere" }}>
          {nameOf(item)}
        </Text>
        <Text size="sm" c="dimmed">
          {title(item.kind)}
          {item.certain ? "" : ", expected"}
        </Text>
        <Text size="sm" mt={4}>
          {exact(new Date(item.from_lab_at))}
          {item.to_lab_at === item.from_lab_at ? "" : ` to ${exact(new Date(item.to_lab_at))}`}
        </Text>
        {item.needs ? <Text size="sm">Needs {item.needs}</Text> : null}
        {item.fits ? null : (
          <Text size="sm" c="var(--lw-bad)">
            Does not fit: {item.why_not}
          </Text>
        )}
        {item.campaign_id ? (
          <Link to="/campaigns/$campaignId" params={{ campaignId: item.campaign_id }}>
            {item.campaign ?? "Campaign"}
          </Link>
        ) : null}
      </HoverCard.Dropdown>
    </HoverCard>
  );
}

/** Several campaigns share the instruments: each says whose round it is. */
const nameOf = (item: CalendarItem) => (item.campaign ? `${item.campaign}, ${item.title}` : item.title);
