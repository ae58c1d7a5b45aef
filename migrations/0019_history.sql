-- What the queue writes for every job: history that is only ever added to.
--
-- Actors, events and jobs are never removed, and these columns hold what the door or the statement itself has just read.
-- A key checked anew for each row locks the row it leads to, and writes that lock down: for a worker that reports a
-- thousand jobs, its own row a thousand times.

alter table lease drop constraint lease_worker_fkey;
alter table job_attempt drop constraint job_attempt_worker_fkey;
alter table job_report drop constraint job_report_actor_id_fkey;
alter table event drop constraint event_actor_id_fkey;
alter table event_seal drop constraint event_seal_event_id_fkey;
alter table outbox drop constraint outbox_event_id_fkey;

-- Looked at twice a second, however much is there.
create index job_ready_deadline on job_ready (deadline_lab_at) where deadline_lab_at is not null;
create index job_waiting_deadline on job_waiting (deadline_lab_at) where deadline_lab_at is not null;
create index job_waiting_due on job_waiting (not_before_lab_at) where unmet = 0;
