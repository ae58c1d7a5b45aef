-- Whether another job does the work of one is asked whenever a job's consequences are drawn, a chain is mended and a
-- batch is looked at: by an index of the few that replace one, not through every job that ever was.
create index job_replaces on job (replaces) where replaces is not null;
