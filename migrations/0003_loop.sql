-- The loop: campaign > round > batch > proposal > plate > well > reading > observation > model version.
-- Every arrow is a foreign key: each number on the screen leads back to the raw file, the robot, the
-- approver and the checkpoint.

create table project (
    id uuid primary key,
    name text not null unique,
    created_at timestamptz not null default now()
);
insert into project (id, name) values ('00000000-0000-7000-8000-000000000002', 'default');

create table campaign (
    id uuid primary key,
    project_id uuid not null references project (id),
    name text not null,
    state text not null default 'active' check (state in ('active', 'paused', 'finished', 'cancelled')),
    current_version integer not null,
    seed bigint not null check (seed >= 0),
    finished_reason text,
    created_at timestamptz not null default now(),
    unique (project_id, name),
    constraint campaign_finished_says_why check ((state in ('finished', 'cancelled')) = (finished_reason is not null))
);

comment on column campaign.seed is 'Every seed of its rounds, batches and models derives from it.';

create table campaign_version (
    campaign_id uuid not null references campaign (id),
    version integer not null check (version > 0),
    spec jsonb not null,
    toml text not null,
    pool_sha256 bytea not null references blob (sha256),
    pool_size bigint not null check (pool_size > 0),
    feature_sha256s bytea[] not null,
    prior_sha256s bytea[] not null,
    created_by uuid not null references actor (id),
    created_at timestamptz not null default now(),
    primary key (campaign_id, version)
);
comment on table campaign_version is 'A round keeps the version it began with.';
alter table campaign add foreign key (id, current_version) references campaign_version (campaign_id, version) deferrable initially deferred;

create table model_version (
    id uuid primary key,
    campaign_id uuid not null references campaign (id),
    number integer not null check (number > 0),
    state text not null check (state in ('candidate', 'promoted', 'rejected', 'retired')),
    checkpoint_sha256 bytea not null references blob (sha256),
    data_cut_sha256 bytea references blob (sha256),
    seed bigint not null,
    code_version text not null,
    metrics jsonb not null,
    train_job_id uuid not null unique references job (id),
    decided_because text,
    created_at timestamptz not null default now(),
    unique (campaign_id, number),
    constraint model_version_decided_says_why check ((state = 'candidate') = (decided_because is null))
);
create unique index model_version_one_promoted on model_version (campaign_id) where state = 'promoted';

create table round (
    id uuid primary key,
    campaign_id uuid not null references campaign (id),
    campaign_version integer not null,
    number integer not null check (number > 0),
    state text not null check (state in ('proposing', 'awaiting_approval', 'planning', 'executing', 'assessing', 'closed', 'held', 'cancelled', 'failed')),
    held_from text check (held_from in ('proposing', 'awaiting_approval', 'planning', 'executing', 'assessing')),
    reason_code text,
    reason text,
    seed bigint not null,
    data_cut_sha256 bytea references blob (sha256),
    model_version_id uuid references model_version (id),
    due_lab_at timestamptz not null,
    created_at timestamptz not null default now(),
    summary jsonb,
    unique (campaign_id, number),
    foreign key (campaign_id, campaign_version) references campaign_version (campaign_id, version),
    constraint round_held_says_from check ((state = 'held') = (held_from is not null)),
    constraint round_stopped_says_why check ((state in ('held', 'cancelled', 'failed')) = (reason is not null)),
    constraint round_reason_has_code check ((reason is null) = (reason_code is null)),
    constraint round_closed_has_summary check ((state = 'closed') = (summary is not null))
);
create unique index round_one_live on round (campaign_id) where state not in ('closed', 'cancelled', 'failed');

create table round_stage (
    round_id uuid not null references round (id),
    entry integer not null,
    stage text not null,
    entered_at timestamptz not null default now(),
    entered_lab_at timestamptz not null,
    primary key (round_id, entry)
);
comment on table round_stage is 'When each stage was entered, by both clocks; stages can be entered again.';

create table prediction (
    round_id uuid not null references round (id),
    perturbation text not null,
    context text not null,
    mean double precision not null,
    epistemic_sd double precision not null check (epistemic_sd >= 0),
    aleatoric_sd double precision not null check (aleatoric_sd >= 0),
    hit_probability double precision not null check (hit_probability between 0 and 1),
    score double precision not null,
    primary key (round_id, perturbation, context)
);
comment on table prediction is 'The posterior over the whole pool as the round''s model saw it before the batch.';

create table batch (
    id uuid primary key,
    round_id uuid not null references round (id),
    generation integer not null check (generation > 0),
    state text not null check (state in ('awaiting_approval', 'approved', 'planned', 'rejected', 'withdrawn')),
    revision integer not null default 1,
    layout_seed bigint not null,
    propose_job_id uuid not null unique references job (id),
    draft jsonb,
    plan_digest bytea,
    frozen_hash bytea,
    closed_reason text,
    created_at timestamptz not null default now(),
    unique (round_id, generation),
    constraint batch_frozen check ((state in ('approved', 'planned')) = (frozen_hash is not null)),
    constraint batch_closed_says_why check ((state in ('rejected', 'withdrawn')) = (closed_reason is not null))
);
create unique index batch_one_live on batch (round_id) where state in ('awaiting_approval', 'approved', 'planned');
comment on column batch.revision is 'Moves with each edit; the ETag.';
comment on column batch.draft is 'Plates, volumes, cost of the draft plan, or why it cannot be carried out.';

create table proposal (
    id uuid primary key,
    batch_id uuid not null references batch (id),
    rank integer not null,
    origin text not null check (origin in ('model', 'person')),
    status text not null check (status in ('selected', 'runner_up', 'removed')),
    perturbation text not null,
    context text not null,
    mean double precision,
    epistemic_sd double precision,
    aleatoric_sd double precision,
    hit_probability double precision,
    score double precision,
    reason text not null,
    removed_reason text,
    edited_by uuid references actor (id),
    fate text check (fate in ('measured', 'given_up')),
    fate_reason text,
    unique (batch_id, perturbation, context),
    constraint proposal_removed_says_why check ((status = 'removed') = (removed_reason is not null)),
    constraint proposal_given_up_says_why check (fate <> 'given_up' or fate_reason is not null)
);
create index proposal_experiment on proposal (perturbation, context);

create table approval (
    id uuid primary key,
    batch_id uuid not null references batch (id),
    actor_id uuid not null references actor (id),
    verdict text not null check (verdict in ('approve', 'reject')),
    revision integer not null,
    reason text,
    at timestamptz not null default now(),
    unique (batch_id, actor_id, revision),
    constraint approval_rejection_says_why check (verdict = 'approve' or reason is not null)
);

-- Inventory: what stands in the laboratory.

create table stock_plate (
    barcode text primary key check (barcode <> ''),
    role text not null check (role in ('library', 'assay')),
    labware text not null,
    context text,
    state text not null default 'available' check (state in ('available', 'reserved', 'used', 'withdrawn')),
    created_at timestamptz not null default now(),
    constraint stock_plate_assay_has_context check ((role = 'assay') = (context is not null))
);

create table stock_well (
    barcode text not null references stock_plate (barcode),
    well text not null,
    content text not null,
    volume_nl bigint not null,
    reserved_nl bigint not null default 0,
    primary key (barcode, well),
    constraint stock_well_reserved_is_there check (reserved_nl between 0 and volume_nl)
);
create index stock_well_content on stock_well (content);

create table plate_location (
    barcode text primary key references stock_plate (barcode),
    device text not null,
    slot text not null,
    since_at timestamptz not null default now(),
    confirmed boolean not null,
    constraint plate_location_one_plate_a_slot unique (device, slot) deferrable initially deferred
);
comment on column plate_location.confirmed is 'A scan said so; false: we only expect it.';

create table plate (
    id uuid primary key,
    round_id uuid not null references round (id),
    batch_id uuid not null references batch (id),
    ordinal integer not null check (ordinal > 0),
    generation integer not null check (generation > 0),
    barcode text not null references stock_plate (barcode),
    labware text not null,
    context text not null,
    state text not null check (state in ('planned', 'dispensing', 'incubating', 'reading', 'passed', 'quarantined', 'released', 'rejected', 'lost', 'cancelled')),
    reason text,
    qc jsonb,
    created_at timestamptz not null default now(),
    unique (batch_id, ordinal, generation),
    unique (barcode),
    constraint plate_judged_has_qc check (state not in ('passed', 'quarantined', 'released', 'rejected') or qc is not null),
    constraint plate_ended_badly_says_why check ((state in ('quarantined', 'rejected', 'lost', 'cancelled', 'released')) = (reason is not null))
);

create table well (
    plate_id uuid not null references plate (id),
    well text not null,
    role text not null check (role in ('sample', 'negative_control', 'positive_control')),
    proposal_id uuid references proposal (id),
    replicate integer not null check (replicate > 0),
    primary key (plate_id, well),
    constraint well_sample_has_proposal check ((role = 'sample') = (proposal_id is not null))
);
create index well_proposal on well (proposal_id);
comment on table well is 'The plate map. Empty wells have no row.';

create table reservation (
    plate_id uuid not null references plate (id),
    source_barcode text not null,
    source_well text not null,
    volume_nl bigint not null check (volume_nl > 0),
    state text not null check (state in ('reserved', 'spent', 'released')),
    primary key (plate_id, source_barcode, source_well),
    foreign key (source_barcode, source_well) references stock_well (barcode, well)
);

create table dispense_record (
    job_id uuid not null references job (id),
    index integer not null,
    plate_id uuid not null references plate (id),
    source_barcode text not null,
    source_well text not null,
    destination_well text not null,
    intended_nl bigint not null,
    actual_nl bigint,
    error text,
    primary key (job_id, index)
);
comment on table dispense_record is 'Intended against reported, transfer by transfer.';
create index dispense_record_plate on dispense_record (plate_id);

create table reading (
    plate_id uuid not null references plate (id),
    well text not null,
    channel text not null,
    value double precision not null,
    unit text not null,
    job_id uuid not null references job (id),
    raw_sha256 bytea not null references blob (sha256),
    primary key (plate_id, well, channel)
);

create table observation (
    id uuid primary key,
    round_id uuid not null references round (id),
    proposal_id uuid not null references proposal (id),
    plate_id uuid not null references plate (id),
    readout text not null,
    value double precision not null,
    sem double precision,
    replicates integer not null check (replicates > 0),
    hit boolean,
    predicted_mean double precision,
    predicted_sd double precision,
    created_at timestamptz not null default now(),
    unique (proposal_id, plate_id, readout)
);
comment on table observation is 'Normalised to the plate''s controls; only from plates that passed QC or that a person released.';
create index observation_round on observation (round_id);

create table plate_decision (
    plate_id uuid not null references plate (id),
    decision text not null check (decision in ('release', 'repeat', 'give_up')),
    actor_id uuid not null references actor (id),
    reason text not null,
    at timestamptz not null default now(),
    primary key (plate_id, decision)
);

alter table job add foreign key (campaign_id) references campaign (id);
alter table job add foreign key (round_id) references round (id);
alter table job add foreign key (plate_id) references plate (id);
alter table event add foreign key (campaign_id) references campaign (id);
