-- Ready jobs by lane: what one capability of one device (or of any) has to do, in order. However much is ready for
-- others, the next job of a lane is found at once.

create index job_ready_lane on job_ready (queue, capability, coalesce(instrument, ''), priority desc, ready_order);
drop index job_ready_next;

-- Jobs that ended badly are few among very many.
create index job_outcome_not_succeeded on job_outcome (job_id) where state <> 'succeeded';
