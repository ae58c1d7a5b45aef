-- A round of one campaign whose plates stand in the reader, each with its map and what was dispensed; and the jobs that
-- read them. Triggers that would look each reference up again are off while the rows are written.

set session_replication_role = replica;

create function pg_temp.setting(name text) returns bigint
    language sql immutable
    return current_setting('growth.' || name)::bigint;

create function pg_temp.id(kind integer, number bigint) returns uuid
    language sql immutable
    return (lpad(to_hex(1700000000000 + number), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8000000000000000')::uuid;

insert into blob (sha256, size_bytes, media_type, created_by)
values (sha256('pool'), 1000, 'text/csv', '00000000-0000-7000-8000-000000000001');
insert into campaign (id, project_id, name, current_version, seed)
values (pg_temp.id(1, 1), '00000000-0000-7000-8000-000000000002', 'growth', 1, 1);
insert into campaign_version
    (campaign_id, version, spec, toml, pool_sha256, pool_size, feature_sha256s, prior_sha256s, created_by)
values (pg_temp.id(1, 1), 1, current_setting('growth.spec')::jsonb, current_setting('growth.toml'), sha256('pool'),
    1000000, '{}', '{}', '00000000-0000-7000-8000-000000000001');
insert into job (id, kind, queue, capability, repeatable, payload, campaign_id)
values (pg_temp.id(10, 1), 'propose', 'learner', 'learn.propose', true, current_setting('growth.propose')::jsonb,
    pg_temp.id(1, 1));
insert into job_outcome (job_id, state, settled_lab_at) values (pg_temp.id(10, 1), 'succeeded', lab_now());
insert into round (id, campaign_id, campaign_version, number, state, seed, due_lab_at)
values (pg_temp.id(2, 1), pg_temp.id(1, 1), 1, 1, 'executing', 1, lab_now());
insert into round_stage (round_id, entry, stage, entered_lab_at) values (pg_temp.id(2, 1), 1, 'executing', lab_now());
insert into batch (id, round_id, generation, state, layout_seed, propose_job_id, plan_digest, frozen_hash)
values (pg_temp.id(3, 1), pg_temp.id(2, 1), 1, 'planned', 1, pg_temp.id(10, 1), sha256('plan'), sha256('frozen'));

insert into stock_plate (barcode, role, labware, context, state)
select 'P-' || m, 'assay', 'corning_1536_wellplate_12ul_flat', 'cells', 'used'
from generate_series(1, pg_temp.setting('plates')) as m;
insert into plate (id, round_id, batch_id, ordinal, generation, barcode, labware, context, state)
select pg_temp.id(4, m), pg_temp.id(2, 1), pg_temp.id(3, 1), m, 1, 'P-' || m, 'corning_1536_wellplate_12ul_flat', 'cells',
    'reading'
from generate_series(1, pg_temp.setting('plates')) as m;

-- Each experiment stands in two wells; 32 wells of each control.
insert into proposal (id, batch_id, rank, origin, status, perturbation, context, mean, epistemic_sd, aleatoric_sd,
    hit_probability, score, reason)
select pg_temp.id(6, i), pg_temp.id(3, 1), i, 'model', 'selected',
    'G' || lpad((i % 640)::text, 4, '0') || '+G' || lpad((640 + i / 640)::text, 4, '0'), 'cells', 0.5, 0.1, 0.1, 0.1, 0.7,
    'high upper bound'
from generate_series(1, pg_temp.setting('plates') * 736) as i;

create temporary table made_well as
select m, w,
    case when w / 48 < 26 then chr((65 + w / 48)::int) else 'A' || chr((39 + w / 48)::int) end || 1 + w % 48 as well
from generate_series(1, pg_temp.setting('plates')) as m, generate_series(0, 1535) as w
order by m, w;

insert into well (plate_id, well, role, proposal_id, replicate)
select pg_temp.id(4, m), well,
    case when w < 1472 then 'sample' when w < 1504 then 'negative_control' else 'positive_control' end,
    case when w < 1472 then pg_temp.id(6, (m - 1) * 736 + w % 736 + 1) end,
    case when w < 1472 then 1 + w / 736 else 1 + (w - 1472) % 32 end
from made_well;

insert into job (id, kind, queue, capability, instrument, repeatable, payload, campaign_id, round_id, plate_id)
select pg_temp.id(12, 2 * m + j), kind, 'bench', case j when 0 then 'dispense.liquid' else 'read.plate' end,
    case j when 0 then 'handler-1' else 'reader-1' end, j = 1, current_setting('growth.' || kind)::jsonb,
    pg_temp.id(1, 1), pg_temp.id(2, 1), pg_temp.id(4, m)
from generate_series(1, pg_temp.setting('plates')) as m, (values (0, 'dispense'), (1, 'read')) as chain (j, kind);

insert into dispense_record (job_id, index, plate_id, source_barcode, source_well, destination_well, intended_nl, actual_nl)
select pg_temp.id(12, 2 * m), w, pg_temp.id(4, m), 'LIB-1', 'A1', well, 100, 100
from made_well;

insert into job_outcome (job_id, state, output, settled_lab_at)
select pg_temp.id(12, 2 * m + j), 'succeeded', current_setting('growth.dispense_output')::jsonb, lab_now()
from generate_series(1, pg_temp.setting('plates')) as m, generate_series(0, 1) as j;
insert into job_attempt (job_id, attempt, lease_token, worker, leased_at, started_at, ending)
select job_id, 1, job_id, '00000000-0000-7000-8000-000000000001', now(), now(), 'succeeded' from job_outcome;

insert into instrument (name, capabilities, profile)
select name, array[capability], profile::jsonb
from (values ('handler-1', 'dispense.liquid', current_setting('growth.handler')),
    ('incubator-1', 'incubate.plate', current_setting('growth.incubator')),
    ('reader-1', 'read.plate', current_setting('growth.reader')), ('mover-1', 'move.plate', '{}'))
    as known (name, capability, profile);

drop table made_well;
set session_replication_role = origin;
