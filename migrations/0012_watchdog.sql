-- Nothing hangs unnoticed: since when a job waits, and what stands still past its deadline.

alter table job_ready add column since timestamptz not null default now();
comment on column job_ready.since is 'Real time: since when it could be given out.';

create table standstill (
    subject text not null check (subject in ('campaign', 'round', 'batch', 'plate', 'job', 'model', 'tick', 'instrument')),
    subject_id text not null,
    state text not null,
    campaign_id uuid references campaign (id),
    since timestamptz not null,
    noticed_at timestamptz not null default now(),
    primary key (subject, subject_id)
);
comment on table standstill is 'What people were told stands still past its deadline; the row goes when it moves.';

alter table notification
    drop constraint notification_topic_check,
    add constraint notification_topic_check check (topic in (
        'batch.waiting', 'approval.expiring', 'job.in_doubt', 'plate.quarantined', 'round.held', 'agent.lost',
        'campaign.finished', 'task.waiting', 'standstill', 'laboratory.stopped'));

grant select, insert, update, delete on standstill to loopwright_app;

-- `doctor` looks for old snapshots and idle transactions of other logins. Who migrates may not be able to grant that;
-- then doctor says what it could not check.
do $$
begin
    if not pg_has_role('loopwright_app', 'pg_read_all_stats', 'member') then
        grant pg_read_all_stats to loopwright_app;
    end if;
exception when others then
    null;
end
$$;
