-- The ground: the application's role, the laboratory's clock, actors and tokens, events, outbox, blobs.
--
-- Two roles from the first day. The owner (whoever runs `loopwright migrate`) owns the schema; the
-- application acts as loopwright_app, which may add events but never change or remove them.

do $$
begin
    create role loopwright_app nologin;
exception when duplicate_object or unique_violation then
    null;
end
$$;

-- Laboratory time: one row, read through one function. Real time (now()) rules leases and tokens only.
create table lab_clock (
    singleton boolean primary key default true check (singleton),
    mode text not null default 'real' check (mode in ('real', 'jumping')),
    lab_at timestamptz,
    constraint lab_clock_jumping_has_instant check ((mode = 'jumping') = (lab_at is not null))
);
comment on table lab_clock is 'Laboratory time. Equal to real time in a laboratory; in the demo and in tests it stands still and moves by jumps.';
insert into lab_clock default values;

create function lab_now() returns timestamptz
    language sql stable
    return (select case mode when 'real' then now() else lab_at end from lab_clock);

create table actor (
    id uuid primary key,
    kind text not null check (kind in ('person', 'agent', 'learner', 'system')),
    name text not null unique check (name <> ''),
    created_at timestamptz not null default now()
);
comment on table actor is 'Whoever acts: people, agents, learners, and the system itself.';
insert into actor (id, kind, name) values ('00000000-0000-7000-8000-000000000001', 'system', 'loopwright');

create table api_token (
    id uuid primary key,
    actor_id uuid not null references actor (id),
    secret_sha256 bytea not null unique check (length(secret_sha256) = 32),
    scopes text[] not null check (cardinality(scopes) > 0),
    label text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    last_used_at timestamptz
);
comment on column api_token.secret_sha256 is 'SHA-256 of a 256-bit random secret; the secret itself is shown once and kept nowhere.';

create table blob (
    sha256 bytea primary key check (length(sha256) = 32),
    size_bytes bigint not null check (size_bytes >= 0),
    media_type text not null,
    created_at timestamptz not null default now(),
    created_by uuid not null references actor (id)
);

create table event (
    id bigint generated always as identity primary key,
    xid xid8 not null default pg_current_xact_id(),
    happened_at timestamptz not null default now(),
    lab_at timestamptz not null,
    kind text not null,
    subject text not null,
    subject_id text not null,
    campaign_id uuid,
    actor_id uuid not null references actor (id),
    body jsonb not null
);
create index event_xid on event (xid, id);
comment on table event is 'Append-only. Unordered and unchained until the sealer gives a position; readers go by position alone.';

create table event_seal (
    position bigint primary key check (position > 0),
    event_id bigint not null unique references event (id),
    chain_sha256 bytea not null check (length(chain_sha256) = 32)
);
comment on table event_seal is 'Gapless positions and hash chain over committed events.';

create table event_sealer (
    singleton boolean primary key default true check (singleton),
    position bigint not null default 0,
    chain_sha256 bytea not null default decode(repeat('00', 32), 'hex'),
    sealed_below xid8 not null default '0'
);
comment on table event_sealer is 'The head of the chain; its row lock makes one sealer at a time.';
comment on column event_sealer.sealed_below is 'Every event of an older transaction has its position.';
insert into event_sealer default values;

create table outbox (
    id bigint generated always as identity primary key,
    event_id bigint not null references event (id),
    topic text not null,
    created_at timestamptz not null default now(),
    attempts integer not null default 0
);
comment on table outbox is 'What the world outside must still be told; rows leave when delivered.';

create table idempotency_key (
    actor_id uuid not null references actor (id),
    key text not null check (length(key) between 1 and 200),
    route text not null,
    request_sha256 bytea not null,
    status smallint,
    response jsonb,
    created_at timestamptz not null default now(),
    primary key (actor_id, key)
);
comment on table idempotency_key is 'Answers to creating POSTs, kept 24 h. A row without status is a request under way.';

create table task (
    id uuid primary key,
    cause text not null,
    message text not null,
    subject text not null,
    subject_id text not null,
    campaign_id uuid,
    opened_at timestamptz not null default now(),
    closed_at timestamptz,
    closed_by uuid references actor (id),
    constraint task_closed_by_someone check ((closed_at is null) = (closed_by is null))
);
create unique index task_one_open_per_cause on task (cause, subject_id) where closed_at is null;
comment on table task is 'What waits for a person: at most one open per cause and subject.';
