-- What metrics and traces need to know.

-- Since when a job is ready: how long it waits for a worker is measured, not guessed from its creation.

alter table job_ready add column ready_at timestamptz not null default now();
comment on column job_ready.ready_at is 'Real time: when it became ready, or ready again.';

create table trace_cursor (
    singleton boolean primary key default true check (singleton),
    position bigint not null check (position >= 0)
);
comment on table trace_cursor is 'How far the sealed record was told to a collector of traces; no row: it never was.';
grant select, insert, update on trace_cursor to loopwright_app;

-- The application looks for transactions that hold vacuum back: those of others are hidden from it otherwise. Where the
-- owner may not grant it (some managed services), `loopwright_database_statistics_visible` is 0.
do $$
begin
    if not pg_has_role('loopwright_app', 'pg_read_all_stats', 'member') then
        grant pg_read_all_stats to loopwright_app;
    end if;
exception when others then
    raise notice 'pg_read_all_stats was not granted to loopwright_app: %', sqlerrm;
end
$$;
