-- What an instrument has done and has to do, for its page.
--
-- And two corrections of 0029: a plate that was quarantined when its round was cancelled (by the release before 0029)
-- is found where it still stands, and an incubation that was heard of late keeps its beginning for jobs made afterwards.
--
-- Only added to, so that the release before runs on over it.

create index job_of_instrument on job (instrument, id desc) where instrument is not null;

create or replace view stray_plate as
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
      and (plate.state in ('passed', 'released', 'rejected', 'lost', 'cancelled')
          or (plate.state = 'quarantined' and round.state in ('closed', 'cancelled', 'failed')))
      and (round.state in ('closed', 'cancelled', 'failed')
          or not exists (
              select from resource_held join job on job.id = resource_held.job_id where job.plate_id = plate.id))
      and not exists (
          select from job
          left join job_outcome on job_outcome.job_id = job.id
          left join settlement on settlement.job_id = job.id
          where job.plate_id = plate.id and (job_outcome.job_id is null or settlement.job_id is not null));

create or replace function heard_late(ended uuid) returns interval
    language plpgsql stable as $$
begin
    return coalesce((
        select greatest(
            coalesce((select settled_at from public.job_outcome where job_id = ended), now())
                - max(job_attempt.started_at),
            interval '0')
        from public.job
        join public.job_attempt on job_attempt.job_id = job.id
        cross join public.lab_clock
        where job.id = ended and job.kind = 'incubate' and job.queue = 'bench' and lab_clock.mode = 'real'
    ), interval '0');
end
$$;
comment on function heard_late is 'How long before its end was heard of an incubation began (in the transaction that hears of it, before now): its report can be hours old, and so can a person''s word. Nothing of other work, of hands (their word counts), and where laboratory time jumps (it stands still meanwhile).';
