-- Stop means stop: pauses and drains of campaigns, rounds and jobs; instruments that drain; the stop of the whole
-- laboratory, and which agents have confirmed it.

create table hold (
    subject_id uuid primary key,
    subject text not null check (subject in ('campaign', 'round', 'job')),
    manner text not null check (manner in ('pause', 'drain')),
    because_of uuid references job (id),
    reason text not null check (reason <> ''),
    ordered_by uuid not null references actor (id),
    ordered_at timestamptz not null default now(),
    constraint hold_because_of_a_job_holds_a_job check (because_of is null or (subject = 'job' and manner = 'pause'))
);
comment on table hold is 'What a person paused or drains. Looked at by every lease, so that nothing has to be kept in step with it; nearly empty.';
comment on column hold.manner is 'pause: nothing of it that has not begun begins. drain: of a round, only plates that have begun go on; of a campaign, no round starts; of a job, it goes to its end.';
comment on column hold.because_of is 'The job whose drain holds this one, which depends on it.';
create index hold_because_of on hold (because_of) where because_of is not null;

-- What the lease statement asks a job for, beside it.
alter table job_ready
    add column round_id uuid,
    add column campaign_id uuid,
    add column plate_id uuid;
update job_ready
set round_id = job.round_id, campaign_id = job.campaign_id, plate_id = job.plate_id
from job
where job.id = job_ready.job_id;
comment on column job_ready.round_id is 'As in job, like campaign_id and plate_id: the lease statement looks at nothing else.';

create function plate_begun(plate uuid) returns boolean
    language sql stable
    return exists (
        select from job
        where job.plate_id = plate
            and (exists (select from lease where lease.job_id = job.id and lease.started_at is not null)
                or exists (select from job_attempt where job_attempt.job_id = job.id and job_attempt.started_at is not null)));
comment on function plate_begun is 'Some step of the plate has begun: a drain brings it to its end.';

create view job_barred as
select job.id as job_id, hold.subject, hold.subject_id, hold.manner, hold.reason, hold.ordered_by, hold.ordered_at
from job
join hold on hold.subject_id in (job.id, job.round_id, job.campaign_id)
where hold.manner = 'pause' or (hold.subject = 'round' and not plate_begun(job.plate_id));
comment on view job_barred is 'Jobs that may not begin, with the hold that bars them: what the lease statement says inline.';

alter table campaign
    drop constraint campaign_state_check,
    add constraint campaign_state_check check (state in ('active', 'draining', 'paused', 'finished', 'cancelled'));

-- Until now a paused campaign let its live round go on: that is a drain.
update campaign
set state = 'draining'
where state = 'paused'
    and exists (
        select from round
        where round.campaign_id = campaign.id and round.state not in ('closed', 'cancelled', 'failed'));
insert into hold (subject_id, subject, manner, reason, ordered_by)
select id, 'campaign', case state when 'draining' then 'drain' else 'pause' end, 'Paused before holds were kept.',
    '00000000-0000-7000-8000-000000000001'
from campaign
where state in ('draining', 'paused');
insert into hold (subject_id, subject, manner, reason, ordered_by)
select id, 'round', 'pause', reason, '00000000-0000-7000-8000-000000000001'
from round
where state = 'held' and reason_code = 'round.held_by_person';

alter table instrument
    drop constraint instrument_state_check,
    add constraint instrument_state_check check (state in ('in_service', 'draining', 'maintenance', 'retired')),
    add column state_reason text,
    add column state_by uuid references actor (id),
    add column state_since timestamptz not null default now(),
    add column back_lab_at timestamptz,
    add constraint instrument_back_when_out check (back_lab_at is null or state in ('draining', 'maintenance'));
comment on column instrument.state_reason is 'Why it is in this state, when somebody said.';
comment on column instrument.back_lab_at is 'When it is expected back (laboratory time). Nothing happens then by itself: a person puts it into service.';

create table laboratory_stop (
    id uuid primary key,
    reason text not null check (reason <> ''),
    ordered_by uuid not null references actor (id),
    ordered_at timestamptz not null default now(),
    lifted_reason text,
    lifted_by uuid references actor (id),
    lifted_at timestamptz,
    constraint laboratory_stop_lifted_by_someone check ((lifted_at is null) = (lifted_by is null)),
    constraint laboratory_stop_lifted_says_why check ((lifted_at is null) = (lifted_reason is null))
);
create unique index laboratory_stop_one_open on laboratory_stop ((true)) where lifted_at is null;
comment on table laboratory_stop is 'While one is not lifted, no work of devices or hands is given out. At most one is open.';

create function may_begin(this uuid, beside text) returns boolean
    language sql stable
    return not exists (select from job_barred where job_barred.job_id = this)
        and not exists (
            select from job
            join instrument on instrument.name = beside
            where job.id = this
                and (instrument.state in ('maintenance', 'retired')
                    or (instrument.state = 'draining' and not plate_begun(job.plate_id))))
        and not exists (
            select from job
            join laboratory_stop on laboratory_stop.lifted_at is null
            where job.id = this and job.queue in ('bench', 'people'));
comment on function may_begin is 'Whether a leased job may begin on the instrument that the worker stands beside (null: on none): asked once more when it starts, so that no pause comes between lease and start.';

create table stop_confirmation (
    stop_id uuid not null references laboratory_stop (id),
    worker uuid not null references actor (id),
    place text not null,
    standing text not null check (standing in ('idle', 'stopping', 'stopped')),
    says text,
    confirmed_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (stop_id, place, worker)
);
comment on table stop_confirmation is 'Which workers know of the stop, and how they stand.';
comment on column stop_confirmation.place is 'The instrument it stands beside, else its queue.';
comment on column stop_confirmation.confirmed_at is 'When it first said that it knows; updated_at: when it last said how it stands.';

grant select, insert, update, delete on hold to loopwright_app;
grant select, insert, update on laboratory_stop, stop_confirmation to loopwright_app;
grant select on job_barred to loopwright_app;
