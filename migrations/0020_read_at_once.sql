-- What a page shows is read by an index, or kept where the page looks: nothing is counted that is over.

alter table batch
    add column selected integer,
    add constraint batch_selected_once_over
        check (selected is null or state in ('planned', 'rejected', 'withdrawn'));
comment on column batch.selected is 'Its selected experiments, once nothing of it changes any more; null: count them.';
update batch
set selected = (
        select count(*) from proposal where proposal.batch_id = batch.id and proposal.status = 'selected')
where state in ('planned', 'rejected', 'withdrawn');

create index batch_state on batch (state, id);

-- What somebody of a few projects sees of the jobs is read by campaign, newest first.
create index job_campaign on job (campaign_id, id) where campaign_id is not null;

-- A transfer is found by the well that it fills, not among all those of its plate.
create index dispense_record_destination on dispense_record (plate_id, destination_well);
drop index dispense_record_plate;

-- Few observations are hits, and few of the plates that were ever there can be used.
create index observation_hit on observation (round_id) where hit;
create index stock_plate_available on stock_plate (role, barcode) where state = 'available';

-- A version that is not judged yet, and a task that is open, is one of few.
create index model_version_candidate on model_version (id) where state = 'candidate';
create index task_open on task (id) where closed_at is null;
