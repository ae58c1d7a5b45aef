-- What is looked for by every pass of the engine and by every page is found at once, however much is stored.

create index plate_round on plate (round_id, state);
create index plate_state on plate (state, id);
create index job_training on job (campaign_id, created_at, id) where kind = 'train';
create index job_of_learners_and_people on job (kind, id) where kind in ('train', 'propose', 'predict', 'manual');

-- What the model expects of the rest of the design space is added up once, when the round's posterior is stored.

alter table round
    add column expected_hits double precision,
    add column expected_hits_at timestamptz,
    add constraint round_expects_hits_at check ((expected_hits is null) = (expected_hits_at is null));
comment on column round.expected_hits is 'The sum of the posterior''s hit probabilities over what the campaign had not measured when it was stored; null: nobody added it up, or there is no posterior.';
comment on column round.expected_hits_at is 'When it was added up (real time): what was measured since is taken off by whoever reads it.';

-- The same answer by the plate's own jobs: asked with `or` inside, it went through every attempt that was ever made.
create or replace function plate_begun(plate uuid) returns boolean
    language sql stable
    return exists (
            select from job
            join lease on lease.job_id = job.id
            where job.plate_id = plate and lease.started_at is not null)
        or exists (
            select from job
            join job_attempt on job_attempt.job_id = job.id
            where job.plate_id = plate and job_attempt.started_at is not null);
