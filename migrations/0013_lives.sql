-- Lives of the database: what happens when another one answers than the one that robots worked for.
--
-- A failover, a restore, a copy: each begins another life, and its name (the epoch) follows from what cannot
-- be carried over by accident. In a new life no work of the bench is given away before a reconciliation is
-- closed: the agents have offered what they did, and a person has looked where something was lost.

create table database_life (
    singleton boolean primary key default true check (singleton),
    token uuid not null default gen_random_uuid(),
    began_at timestamptz not null default now(),
    began_because text not null check (began_because in ('created', 'restored'))
);
comment on table database_life is 'A dump carries the token with it; whoever restores one writes another (the owner; the application reads it only).';
insert into database_life (began_because) values ('created');

-- The timeline of what is being written now. pg_control_checkpoint() still tells the old one between a
-- promotion and the first checkpoint after it.
create function database_epoch() returns text
    language sql stable
    return (
        select system_identifier::text
            || '-' || ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer::text
            || '-' || token::text
        from pg_control_system(), database_life
    );
comment on function database_epoch is 'Which life of the database answers: system identifier, timeline, life token. Refused by a standby.';

create table reconciliation (
    epoch text primary key check (epoch <> ''),
    opened_because text not null check (opened_because in ('created', 'failed_over', 'restored')),
    opened_at timestamptz not null default now(),
    unknown_reports bigint not null default 0,
    orphan_reports bigint not null default 0,
    closed_at timestamptz,
    closed_by uuid references actor (id),
    closed_reason text,
    constraint reconciliation_closed_by_someone check ((closed_at is null) = (closed_by is null)),
    constraint reconciliation_closed_says_why check ((closed_at is null) = (closed_reason is null))
);
create unique index reconciliation_one_open on reconciliation ((closed_at is null)) where closed_at is null;
comment on table reconciliation is 'One per life of the database. While it is open, no work of the bench is given away.';
comment on column reconciliation.unknown_reports is 'Reports under tokens that this database never gave: something was lost.';
comment on column reconciliation.orphan_reports is 'Reports of jobs that this database does not know.';

create table reconciliation_party (
    epoch text not null references reconciliation (epoch),
    instrument text not null,
    state text not null check (state in ('awaited', 'reconciled', 'excused')),
    since timestamptz not null default now(),
    actor_id uuid references actor (id),
    offered integer check (offered >= 0),
    excused_reason text,
    primary key (epoch, instrument),
    constraint reconciliation_party_reconciled_says_how_many check ((state = 'reconciled') = (offered is not null)),
    constraint reconciliation_party_excused_says_why check ((state = 'excused') = (excused_reason is not null)),
    constraint reconciliation_party_answered_by_someone check ((state = 'awaited') = (actor_id is null))
);
comment on table reconciliation_party is 'Instruments whose agents were seen lately, and what became of each.';

insert into reconciliation (epoch, opened_because, closed_at, closed_by, closed_reason)
values (
    database_epoch(), 'created', now(), '00000000-0000-7000-8000-000000000001', 'the first life of this database'
);

create table orphan_report (
    id uuid primary key,
    epoch text not null references reconciliation (epoch),
    job_id uuid not null,
    lease_token uuid not null,
    attempt integer not null,
    instrument text,
    begun boolean not null,
    kind text not null,
    payload jsonb not null,
    actor_id uuid not null references actor (id),
    received_at timestamptz not null default now(),
    outcome jsonb not null,
    outcome_sha256 bytea not null,
    done_about_it jsonb not null,
    unique (job_id, lease_token, outcome_sha256)
);
comment on table orphan_report is 'Testimony about jobs that a lost life of the database had made. Their raw files are kept.';
comment on column orphan_report.done_about_it is 'Plates withdrawn, jobs put in doubt, volumes written off.';

alter table job_in_doubt add column awaits_person boolean not null default false;
comment on column job_in_doubt.awaits_person is 'A report from a lost life put it here: no further report settles it, only a person.';

-- The list of topics grows by one, whatever stands in it by now.
do $$
declare
    known text;
begin
    select pg_get_expr(conbin, conrelid) into known
    from pg_constraint
    where conrelid = 'notification'::regclass and conname = 'notification_topic_check';
    alter table notification drop constraint notification_topic_check;
    execute format(
        'alter table notification add constraint notification_topic_check check (%s or topic = ''reconciliation.open'')',
        known
    );
end
$$;

grant select on database_life to loopwright_app;
grant select, insert, update on reconciliation, reconciliation_party to loopwright_app;
grant select, insert on orphan_report to loopwright_app;
