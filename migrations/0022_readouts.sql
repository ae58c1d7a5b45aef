-- Further readouts of the same wells: learnt beside the one that a campaign is about, and constraints where it says so.
-- A table of their own: an observation is of the campaign's readout, and everything that counts observations counts those.

create table further_observation (
    id uuid primary key,
    round_id uuid not null references round (id),
    proposal_id uuid not null references proposal (id),
    plate_id uuid not null references plate (id),
    readout text not null,
    value double precision not null,
    sem double precision,
    replicates integer not null check (replicates > 0),
    created_at timestamptz not null default now(),
    constraint further_observation_once unique (proposal_id, plate_id, readout)
);
comment on table further_observation is 'Only from plates that passed QC or that a person released, with the observation of the same proposal and plate.';
comment on column further_observation.readout is 'A vector''s components are named readout/component.';
comment on column further_observation.value is 'In the scale that the campaign gives the readout; of labels, the position in their list.';
create index further_observation_round on further_observation (round_id);
grant select, insert on further_observation to loopwright_app;
