-- The same answers by functions whose plans a connection keeps. PostgreSQL takes a function in SQL that reads a table
-- apart and plans it anew for each statement that calls it: 60 microseconds for the laboratory's time, where the
-- statement around it takes 70; 14 now.

create or replace function lab_now() returns timestamptz
    language plpgsql stable as $$
begin
    return (select case mode when 'real' then now() else lab_at end from public.lab_clock);
end
$$;

create or replace function database_epoch() returns text
    language plpgsql stable as $$
begin
    return (
        select system_identifier::text
            || '-' || ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer::text
            || '-' || token::text
        from pg_control_system(), public.database_life
    );
end
$$;

create or replace function plate_begun(plate uuid) returns boolean
    language plpgsql stable as $$
begin
    return exists (
            select from public.job
            join public.lease on lease.job_id = job.id
            where job.plate_id = plate and lease.started_at is not null)
        or exists (
            select from public.job
            join public.job_attempt on job_attempt.job_id = job.id
            where job.plate_id = plate and job_attempt.started_at is not null);
end
$$;

create or replace function may_begin(this uuid, beside text) returns boolean
    language plpgsql stable as $$
begin
    return not exists (select from public.job_barred where job_barred.job_id = this)
        and not exists (
            select from public.job
            join public.instrument on instrument.name = beside
            where job.id = this
                and (instrument.state in ('maintenance', 'retired')
                    or (instrument.state = 'draining' and not public.plate_begun(job.plate_id))))
        and not exists (
            select from public.job
            join public.laboratory_stop on laboratory_stop.lifted_at is null
            where job.id = this and job.queue in ('bench', 'people'));
end
$$;
