-- The queue. A job's row is written once; where it is in its life is which narrow table holds it:
--
--   job_waiting -> job_ready -> lease (leased, running, stopping) -> job_outcome (terminal)
--                                  \-> job_in_doubt -> job_outcome
--
-- Each move deletes from one and inserts into the next in one statement, so a job is in exactly one.
-- Fences match (job_id, lease_token) and nothing else. Nothing is indexed on expires_at: heartbeats stay HOT.

create table job (
    id uuid primary key,
    kind text not null check (kind in ('train', 'propose', 'predict', 'dispense', 'move', 'incubate', 'read', 'manual')),
    queue text not null,
    capability text not null,
    instrument text,
    priority smallint not null default 0,
    repeatable boolean not null,
    max_attempts integer not null default 5 check (max_attempts > 0),
    payload jsonb not null,
    campaign_id uuid,
    round_id uuid,
    plate_id uuid,
    resource text,
    replaces uuid references job (id),
    unique_key text unique,
    created_at timestamptz not null default now()
);
comment on table job is 'Written once. unique_key makes creation idempotent (propose:<round>:<generation>).';
comment on column job.resource is 'A place only one plate chain may use at a time (deck:handler-1, reader:reader-1); later chains wait for the last job that names it to end.';
comment on column job.replaces is 'The job, settled as not done, that this one does in its stead.';
comment on column job.instrument is 'Addressed to one device; null: to any with the capability.';
create index job_round on job (round_id);
create index job_plate on job (plate_id);
create index job_resource on job (resource) where resource is not null;

create table job_dependency (
    job_id uuid not null references job (id),
    depends_on uuid not null references job (id),
    requires text not null default 'success' check (requires in ('success', 'end')),
    min_delay_seconds bigint not null default 0 check (min_delay_seconds >= 0),
    max_delay_seconds bigint check (max_delay_seconds >= min_delay_seconds),
    primary key (job_id, depends_on)
);
comment on table job_dependency is 'job_id may begin min_delay after depends_on succeeded (or, for `end`, ended however), and must by max_delay (laboratory time).';
create index job_dependency_upstream on job_dependency (depends_on);

create table job_waiting (
    job_id uuid primary key references job (id),
    unmet integer not null check (unmet >= 0),
    not_before_lab_at timestamptz,
    deadline_lab_at timestamptz
);

create table job_ready (
    job_id uuid primary key references job (id),
    queue text not null,
    capability text not null,
    instrument text,
    priority smallint not null,
    ready_order bigint generated always as identity,
    attempt integer not null default 0,
    retry_at timestamptz,
    deadline_lab_at timestamptz
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);
create index job_ready_next on job_ready (queue, priority desc, ready_order);
comment on column job_ready.attempt is 'Attempts so far.';
comment on column job_ready.retry_at is 'Real time: after a passing failure it is not handed out before; null: at once.';

create table lease (
    job_id uuid primary key references job (id),
    lease_token uuid not null,
    worker uuid not null references actor (id),
    instrument text,
    phase text not null check (phase in ('leased', 'running', 'stopping')),
    attempt integer not null check (attempt > 0),
    leased_at timestamptz not null default now(),
    started_at timestamptz,
    expires_at timestamptz not null,
    deadline_lab_at timestamptz,
    progress jsonb,
    constraint lease_running_has_started check (phase <> 'running' or started_at is not null),
    constraint lease_leased_has_not_started check (phase <> 'leased' or started_at is null)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.01);
comment on table lease is 'The size of the fleet. expires_at is real time (the database''s).';

create table job_attempt (
    job_id uuid not null references job (id),
    attempt integer not null,
    lease_token uuid not null,
    worker uuid not null references actor (id),
    leased_at timestamptz not null,
    started_at timestamptz,
    ended_at timestamptz not null default now(),
    ending text not null check (ending in ('succeeded', 'failed', 'stopped', 'unknown', 'released', 'expired')),
    primary key (job_id, attempt)
);
comment on table job_attempt is 'How each lease ended; the last row''s token is the one a late report may carry.';

create table job_in_doubt (
    job_id uuid primary key references job (id),
    lease_token uuid not null,
    attempt integer not null,
    since timestamptz not null default now(),
    known jsonb not null
);
comment on column job_in_doubt.known is 'Last progress, the device''s own words: what a person needs to decide.';

create table job_outcome (
    job_id uuid primary key references job (id),
    state text not null check (state in ('succeeded', 'failed', 'cancelled', 'plate_lost')),
    output jsonb,
    failure jsonb,
    decided_by uuid references actor (id),
    settled_at timestamptz not null default now(),
    settled_lab_at timestamptz not null,
    constraint job_outcome_failed_has_failure check (state <> 'failed' or failure is not null)
);
comment on column job_outcome.decided_by is 'The person who settled a job in doubt; null when the worker''s report did.';

create table settlement (
    job_id uuid primary key references job_outcome (job_id)
);
comment on table settlement is 'Settled jobs whose consequences the loop has not drawn yet; the row goes in the transaction that draws them.';

create table resource_held (
    job_id uuid primary key references job_outcome (job_id)
);
comment on table resource_held is 'Jobs that did not succeed on a resource: plates may still stand there. Who waits for their `end` goes on waiting until the loop has cleared the place, or has another job do the work.';

create table job_report (
    id bigint generated always as identity primary key,
    job_id uuid not null references job (id),
    lease_token uuid not null,
    actor_id uuid not null references actor (id),
    received_at timestamptz not null default now(),
    outcome jsonb not null,
    outcome_sha256 bytea not null,
    disposition text not null check (disposition in ('accepted', 'kept_as_evidence')),
    unique (job_id, lease_token, outcome_sha256)
);
comment on table job_report is 'Every testimony, also the late and the contradicted.';

create view job_state as
select
    job.id as job_id,
    case
        when job_outcome.job_id is not null then job_outcome.state
        when job_in_doubt.job_id is not null then 'in_doubt'
        when lease.job_id is not null then lease.phase
        when job_ready.job_id is not null then 'ready'
        else 'waiting'
    end as state
from job
left join job_outcome on job_outcome.job_id = job.id
left join job_in_doubt on job_in_doubt.job_id = job.id
left join lease on lease.job_id = job.id
left join job_ready on job_ready.job_id = job.id;

create table instrument (
    name text primary key,
    capabilities text[] not null,
    profile jsonb not null default '{}',
    state text not null default 'in_service' check (state in ('in_service', 'maintenance', 'retired')),
    created_at timestamptz not null default now(),
    last_seen_at timestamptz
);
comment on column instrument.profile is 'Capacities planning respects: deck slots, tips a run, incubator slots.';
