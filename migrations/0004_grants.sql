-- What the application may do. Last, so that it sees every table; later migrations grant for their own.

do $$
begin
    execute format('grant usage on schema %I to loopwright_app', current_schema());
    execute format('grant select, insert, update, delete on all tables in schema %I to loopwright_app', current_schema());
    execute format('grant usage on all sequences in schema %I to loopwright_app', current_schema());
end
$$;

-- The record: added to, read, never changed.
revoke update, delete, truncate on event, event_seal, job_report, job_attempt, approval, plate_decision, reading, dispense_record from loopwright_app;
revoke delete, truncate on job, job_outcome, round, batch, proposal, plate, observation, campaign, campaign_version, model_version, blob, actor from loopwright_app;
revoke delete, truncate on _sqlx_migrations from loopwright_app;
