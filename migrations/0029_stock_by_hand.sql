-- What people do to the stock by hand: counting, taking out, putting back, finding; and which plates drew from which source.
--
-- Approvals of a plan that is another one by now. And places that stay occupied after the end of a plate: found, so that they are cleared.
--
-- Only added to, so that the release before runs on over it.

create table stock_change (
    id uuid primary key,
    barcode text not null references stock_plate (barcode),
    change text not null check (change in ('counted', 'withdrawn', 'put_back', 'found')),
    reason text not null check (reason <> ''),
    actor_id uuid not null references actor (id),
    at timestamptz not null default now(),
    detail jsonb not null
);
create index stock_change_of_plate on stock_change (barcode, id);
comment on table stock_change is 'Kept beside the event for the page of a plate. detail of a count: for each well that changed, what it held by the books and what was found (nanolitres).';
grant select, insert on stock_change to loopwright_app;

-- Which plates drew from a source: asked when one turns out to be bad, and when somebody wants to take it away.
create index reservation_source on reservation (source_barcode, plate_id);

-- A quarantined plate is cancelled with its round, and keeps its judgement.
alter table plate drop constraint plate_judged_has_qc;
alter table plate add constraint plate_judged_has_qc check (
    state = 'cancelled' or (state in ('passed', 'quarantined', 'released', 'rejected')) = (qc is not null));

-- The plan that people looked at, when it is made anew: what they said of it does not count for another one.
alter table batch add column shown_plan_digest bytea;
comment on column batch.shown_plan_digest is 'Digest of the draft that was taken away to be computed anew; null once there is one again.';

-- An incubation is under way since it began, and not since somebody heard of it.
create function heard_late(ended uuid) returns interval
    language plpgsql stable as $$
begin
    return coalesce((
        select greatest(now() - max(job_attempt.started_at), interval '0')
        from public.job
        join public.job_attempt on job_attempt.job_id = job.id
        cross join public.lab_clock
        where job.id = ended and job.kind = 'incubate' and job.queue = 'bench' and lab_clock.mode = 'real'
    ), interval '0');
end
$$;
comment on function heard_late is 'How long before now the incubation began that has ended in this transaction: its report can be hours old, and so can a person''s word. Nothing of other work, of hands (their word counts), and where laboratory time jumps (it stands still meanwhile).';

-- Since when somebody is asked to stop.
alter table lease add column stop_asked_at timestamptz;

create index plate_location_on_device on plate_location (barcode) where device not in ('storage', 'waste');

create view stray_plate as
    select plate.id as plate_id, plate.round_id
    from plate
    join round on round.id = plate.round_id
    where plate.id in (
            select job.plate_id
            from resource_held
            join job on job.id = resource_held.job_id
            union
            select standing.id
            from plate_location
            join plate as standing on standing.barcode = plate_location.barcode
            where device not in ('storage', 'waste'))
      and plate.state in ('passed', 'released', 'rejected', 'lost', 'cancelled')
      and (round.state in ('closed', 'cancelled', 'failed')
          or not exists (
              select from resource_held join job on job.id = resource_held.job_id where job.plate_id = plate.id))
      and not exists (
          select from job
          left join job_outcome on job_outcome.job_id = job.id
          left join settlement on settlement.job_id = job.id
          where job.plate_id = plate.id and (job_outcome.job_id is null or settlement.job_id is not null));
comment on view stray_plate is 'Ended plates that still stand on a device, or hold a place there, with nothing of their work open. In a live round not those that hold a place: a person resumes that one.';
grant select on stray_plate to loopwright_app;
