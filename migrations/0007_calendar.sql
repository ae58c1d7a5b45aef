-- The calendar: ticks that were judged, blackouts, and rounds that may run beside each other.
--
-- Laboratory time throughout: the calendar of a demo jumps with it.

alter table campaign
    add column calendar_since_lab_at timestamptz not null default lab_now(),
    add column calendar_look_lab_at timestamptz not null default '-infinity';
comment on column campaign.calendar_since_lab_at is 'Its creation by the laboratory''s clock: no tick is before it.';
comment on column campaign.calendar_look_lab_at is 'While a round is live and no tick waits, the calendar has nothing to say before it. Only saves work: -infinity is always right.';

alter table round
    add column begun_by text not null default 'tick' check (begun_by in ('tick', 'continuous', 'person')),
    add column model_because text,
    add column may_overlap boolean not null default false;
comment on column round.model_because is 'Why it proposes with model_version_id: the newest, or what became of the newer one. Null for rounds older than the calendar.';
comment on column round.may_overlap is 'Begun under overlap = allow: it may be live beside others of its campaign.';
drop index round_one_live;
create unique index round_one_live on round (campaign_id) where state not in ('closed', 'cancelled', 'failed') and not may_overlap;
comment on index round_one_live is 'At most one live round a campaign, unless the campaign lets them overlap.';
create index round_live on round (campaign_id) where state not in ('closed', 'cancelled', 'failed');

create table tick (
    id uuid primary key,
    campaign_id uuid not null references campaign (id),
    wall timestamp not null,
    zone text not null,
    nominal_lab_at timestamptz not null,
    due_lab_at timestamptz not null,
    state text not null check (state in ('waiting', 'started', 'skipped')),
    reason_code text not null check (reason_code <> ''),
    reason text not null check (reason <> ''),
    round_id uuid unique references round (id),
    judged_lab_at timestamptz not null,
    created_at timestamptz not null default now(),
    constraint tick_once unique (campaign_id, wall),
    constraint tick_started_has_round check ((state = 'started') = (round_id is not null))
);
create index tick_waiting on tick (campaign_id, wall) where state = 'waiting';
create index tick_last on tick (campaign_id, nominal_lab_at desc);
comment on table tick is 'Ticks of the calendar that were judged: each once, however many serve processes look, because campaign and wall time are unique.';
comment on column tick.wall is 'What the clock on the wall of `zone` shows; of every_hours in UTC.';
comment on column tick.nominal_lab_at is 'The instant of `wall`: shifted forward where the clocks skip it, the first where it comes twice.';
comment on column tick.due_lab_at is 'When it is acted on: the end of a blackout that it was shifted out of, else nominal_lab_at.';

-- Rounds that began before there were ticks: the next tick counts from the last of them.
insert into tick
    (id, campaign_id, wall, zone, nominal_lab_at, due_lab_at, state, reason_code, reason, round_id, judged_lab_at)
select gen_random_uuid(), campaign_id, due_lab_at at time zone 'UTC', 'UTC', due_lab_at, due_lab_at, 'started',
       'tick.started', 'It began before the calendar was kept.', id, due_lab_at
from round
on conflict do nothing;

create table blackout (
    id uuid primary key,
    instrument text references instrument (name),
    from_lab_at timestamptz not null,
    to_lab_at timestamptz not null,
    zone text not null,
    reason text not null check (reason <> ''),
    created_by uuid not null references actor (id),
    created_at timestamptz not null default now(),
    constraint blackout_lasts check (from_lab_at < to_lab_at)
);
create index blackout_to on blackout (to_lab_at);
comment on table blackout is 'When no round of any campaign may begin (instrument null), or when one instrument is in maintenance: then the calendar says what does not fit.';

grant select, insert, update on tick to loopwright_app;
grant select, insert, delete on blackout to loopwright_app;
