-- A job's way through the queue is checked where it begins.
--
-- job_ready, job_waiting, job_in_doubt and job_dependency refer to job. What follows takes the job's id out of a row
-- that has it, in the same statement or under its lock: lease from job_ready; attempt and report from lease or from
-- the job's own row; outcome under the lock of the job's row; settlement from the outcome. Jobs and outcomes are never
-- removed (0004). A key checked anew for each row asks for the job's row again, and locks it, four times a job.
-- What cannot happen here can come from outside (a table restored alone): doctor and restore count it.

alter table lease drop constraint lease_job_id_fkey;
alter table job_attempt drop constraint job_attempt_job_id_fkey;
alter table job_report drop constraint job_report_job_id_fkey;
alter table job_outcome drop constraint job_outcome_job_id_fkey;
alter table settlement drop constraint settlement_job_id_fkey;
