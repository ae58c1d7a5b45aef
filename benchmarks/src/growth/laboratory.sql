-- A laboratory that has worked for a while: campaigns side by side, round after round, each with its batch, plates,
-- wells, readings, observations, jobs and record. Rows refer to each other as the schema asks; triggers that would
-- look each reference up again are off while they are written. How much of it: the settings growth.*.
--
-- Identities begin as those that the service makes (by time), so that its newer ones sort behind them.

set session_replication_role = replica;
set statement_timeout = 0;

create function pg_temp.setting(name text) returns bigint
    language sql immutable
    return current_setting('growth.' || name)::bigint;

create function pg_temp.id(kind integer, number bigint) returns uuid
    language sql immutable
    return (lpad(to_hex(1700000000000 + number), 12, '0') || '7' || lpad(to_hex(kind), 3,
    '0') || '8000000000000000')::uuid;

create function pg_temp.perturbation(number bigint) returns text
    language sql immutable
    return 'G' || lpad((number % 640)::text, 4, '0') || '+G' || lpad((640 + number / 640)::text, 4, '0');

-- Rounds of all campaigns in the order of time; the last of each is live.
create temporary table made_round as
select (r - 1) * pg_temp.setting('campaigns') + c as n, c, r,
    r = pg_temp.setting('rounds') as live,
    case when r < pg_temp.setting('rounds') then 'closed'
        when c <= pg_temp.setting('closing') then 'assessing'
        when c % 5 = 0 then 'awaiting_approval'
        else 'executing' end as state,
    pg_temp.setting('plates') * pg_temp.setting('samples') as size,
    -- What is live began an hour ago: nothing stands still past its deadline.
    case when r = pg_temp.setting('rounds') then now() - interval '1 hour'
        else timestamptz '2023-11-14 22:13:20+00' + make_interval(hours => ((r - 1) * 168 / 10)::int) end as at
from generate_series(1, pg_temp.setting('campaigns')) as c, generate_series(1, pg_temp.setting('rounds')) as r;

-- Of an executing round, every other plate stands in the incubator.
create temporary table made_plate as
select (n - 1) * pg_temp.setting('plates') + p as m, n, c, r, p, size, at,
    case when state <> 'executing' or p % 2 = 1 then 'passed' else 'incubating' end as state,
    r > pg_temp.setting('rounds') - pg_temp.setting('mapped') as mapped,
    r > pg_temp.setting('rounds') - 10 as recent
from made_round, generate_series(1, pg_temp.setting('plates')) as p
where state <> 'awaiting_approval';
analyze made_round;
analyze made_plate;

insert into blob (sha256, size_bytes, media_type, created_by)
select sha256(name::bytea), 1000, 'text/csv', '00000000-0000-7000-8000-000000000001'
from unnest(array['pool', 'genes', 'checkpoint', 'cut', 'raw']) as name;

insert into project (id, name) select pg_temp.id(20, p), 'project ' || p from generate_series(1, 5) as p;

insert into campaign (id, project_id, name, current_version, seed, calendar_since_lab_at)
select pg_temp.id(1, c), pg_temp.id(20, 1 + c % 5), 'campaign ' || c, 1, c, timestamptz '2023-11-14 22:13:20+00'
from generate_series(1, pg_temp.setting('campaigns')) as c;

insert into campaign_version (campaign_id, version, spec, toml, pool_sha256, pool_size, feature_sha256s,
    prior_sha256s, created_by)
select pg_temp.id(1, c), 1, jsonb_set(current_setting('growth.spec')::jsonb, '{name}', to_jsonb('campaign ' || c)),
    current_setting('growth.toml'), sha256('pool'), 640 * 360, '{}', '{}', '00000000-0000-7000-8000-000000000001'
from generate_series(1, pg_temp.setting('campaigns')) as c;

insert into campaign_gene (campaign_id, version, gene)
select pg_temp.id(1, c), 1, 'G' || lpad(g::text, 4, '0')
from generate_series(1, pg_temp.setting('campaigns')) as c, generate_series(0, 999) as g;

-- Jobs of learners: one proposes each round, one trains after it.
insert into job (id, kind, queue, capability, repeatable, payload, campaign_id, round_id, unique_key, created_at)
select pg_temp.id(k, n), kind, 'learner', 'learn.' || kind, true, current_setting('growth.' || kind)::jsonb,
    pg_temp.id(1, c), pg_temp.id(2, n), kind || ':' || c || ':' || r, at
from made_round, (values (10, 'propose'), (11, 'train')) as learner (k, kind)
where kind = 'propose' or not live;

insert into model_version (id, campaign_id, number, state, checkpoint_sha256, data_cut_sha256, seed, code_version,
    metrics, train_job_id, decided_because, created_at)
select pg_temp.id(5, n), pg_temp.id(1, c), r,
    case when r = pg_temp.setting('rounds') - 1 then 'promoted' else 'retired' end,
    sha256('checkpoint'), sha256('cut'), r, 'growth', current_setting('growth.metrics')::jsonb, pg_temp.id(11, n),
    'it is not worse', at
from made_round
where not live;

insert into round (id, campaign_id, campaign_version, number, state, seed, data_cut_sha256, model_version_id,
    model_because, due_lab_at, created_at, summary)
select pg_temp.id(2, n), pg_temp.id(1, c), 1, r,
    state, r, case when r > 1 then sha256('cut') end, case when r > 1 then pg_temp.id(5,
    n - pg_temp.setting('campaigns')) end, 'the newest', at, at,
    case when not live then jsonb_build_object(
        'proposed', size, 'dispensed', size, 'measured', size, 'passed_qc', size, 'hits_found', size / 20, 'given_up',
        0,
        'plates', pg_temp.setting('plates'), 'coverage_90', 0.9, 'model_version', r - 1,
        'stage_seconds', '{"proposing": 60.0, "awaiting_approval": 3600.0, "executing": 259200.0}'::jsonb,
        'total_seconds', 262860.0, 'worker_seconds', 259000.0, 'waiting_for_people_seconds', 3600.0,
        'orchestration_seconds', 1.0) end
from made_round;

insert into round_stage (round_id, entry, stage, entered_at, entered_lab_at)
select pg_temp.id(2, n), entry, stage, at + make_interval(mins => entry::int), at + make_interval(mins => entry::int)
from made_round,
    unnest(array['proposing', 'awaiting_approval', 'planning', 'executing', 'assessing',
    'closed']) with ordinality as stages (stage, entry)
where entry <= case state when 'awaiting_approval' then 2 when 'executing' then 4 when 'assessing' then 5 else 6 end;

insert into tick (id, campaign_id, wall, zone, nominal_lab_at, due_lab_at, state, reason_code, reason, round_id,
    judged_lab_at, created_at)
select pg_temp.id(8, n), pg_temp.id(1, c), at at time zone 'UTC', 'UTC', at, at, 'started', 'tick.started',
    'Its time had come.', pg_temp.id(2, n), at, at
from made_round;

insert into batch (id, round_id, generation, state, layout_seed, propose_job_id, selected, plan_digest, frozen_hash,
    created_at)
select pg_temp.id(3, n), pg_temp.id(2, n), 1, case state when 'awaiting_approval' then state else 'planned' end, n,
    pg_temp.id(10, n),
    case when state <> 'awaiting_approval' then size end,
    case when state <> 'awaiting_approval' then sha256('plan') end,
    case when state <> 'awaiting_approval' then sha256('frozen') end, at
from made_round;

insert into approval (id, batch_id, actor_id, verdict, revision, at)
select pg_temp.id(9, n), pg_temp.id(3, n), '00000000-0000-7000-8000-000000000001', 'approve', 1, at
from made_round
where state <> 'awaiting_approval';

-- What stands in the laboratory: a library of every gene, plates that were used, plates that may be.
insert into stock_plate (barcode, role, labware) select 'LIB-' || l, 'library',
    'corning_384_wellplate_112ul_flat' from generate_series(1, 3) as l;
insert into stock_well (barcode, well, content, volume_nl)
select 'LIB-' || 1 + g / 384, chr((65 + g % 384 / 24)::int) || 1 + g % 24,
    case g when 1000 then 'NEG' when 1001 then 'POS' else 'G' || lpad(g::text, 4, '0') end, 100000
from generate_series(0, 1001) as g;
insert into stock_plate (barcode, role, labware, context, state)
select 'USED-' || m, 'assay', 'corning_384_wellplate_112ul_flat', 'cells', 'used' from made_plate;
insert into stock_plate (barcode, role, labware, context)
select 'FREE-' || f, 'assay', 'corning_384_wellplate_112ul_flat', 'cells' from generate_series(1, 200) as f;
insert into plate_location (barcode, device, slot, confirmed)
select barcode, 'storage', barcode, true from stock_plate where state = 'available';

insert into plate (id, round_id, batch_id, ordinal, generation, barcode, labware, context, state, qc, created_at)
select pg_temp.id(4, m), pg_temp.id(2, n), pg_temp.id(3, n), p, 1, 'USED-' || m, 'corning_384_wellplate_112ul_flat',
    'cells', state,
    case when state = 'passed' then '{"verdict": "pass", "reasons": [], "z_prime": 0.7, "control_drift": 0.01, "missing_fraction": 0.0,
        "negative": {"n": 16, "mean": 100.0, "sd": 5.0}, "positive": {"n": 16, "mean": 1000.0,
        "sd": 50.0}}'::jsonb end, at
from made_plate;

-- One experiment a proposal, no experiment twice in a campaign.
insert into proposal (id, batch_id, rank, origin, status, perturbation, context, mean, epistemic_sd, aleatoric_sd,
    hit_probability, score, reason, fate)
select pg_temp.id(6, (n - 1) * size + i), pg_temp.id(3, n), i, 'model', 'selected',
    pg_temp.perturbation((r - 1) * size + i - 1), 'cells',
    i % 100 / 100.0, 0.1, 0.1, i % 100 / 200.0, i % 100 / 90.0, 'high upper bound',
    case when not live then 'measured' end
from made_round, generate_series(1, size) as i
order by n, i;

insert into observation (id, round_id, proposal_id, plate_id, readout, value, sem, replicates, hit, predicted_mean,
    predicted_sd, created_at)
select pg_temp.id(7, (m - 1) * samples + s), pg_temp.id(2, n), pg_temp.id(6, (m - 1) * samples + s), pg_temp.id(4, m),
    'signal',
    value, 0.05, 1, value > 0.95, (p * 31 + s) % 100 / 100.0, 0.14, at + interval '1 minute'
from made_plate, (select pg_temp.setting('samples') as samples) as sizes, generate_series(1, samples) as s,
    lateral (select (m * 7919 + s * 104729) % 1000 / 1000.0 as value) as measured
where state = 'passed'
order by m, s;

-- Plate maps, and of the last rounds what was dispensed and read.
create temporary table made_well as
select m, state, recent, w, pg_temp.setting('samples') as samples,
    chr((65 + (w - 1) / 24)::int) || 1 + (w - 1) % 24 as well
from made_plate, generate_series(1, pg_temp.setting('samples') + 32) as w
where mapped
order by m, w;

insert into well (plate_id, well, role, proposal_id, replicate)
select pg_temp.id(4, m), well,
    case when w <= samples then 'sample' when w <= samples + 16 then 'negative_control' else 'positive_control' end,
    case when w <= samples then pg_temp.id(6, (m - 1) * samples + w) end,
    case when w <= samples then 1 else 1 + (w - samples - 1) % 16 end
from made_well;

insert into dispense_record (job_id, index, plate_id, source_barcode, source_well, destination_well, intended_nl,
    actual_nl)
select pg_temp.id(12, (m - 1) * pg_temp.setting('chain') + 2), w - 1, pg_temp.id(4, m), 'LIB-1', 'A1', well, 1000, 1000
from made_well
where recent;

insert into reading (plate_id, well, channel, value, unit, job_id, raw_sha256)
select pg_temp.id(4, m), well, 'signal',
    case when w <= samples then 100 + (m * 7919 + w * 104729) % 1000 when w <= samples + 16 then 100 + w % 5 else 1000 + w % 50 end,
    'RFU', pg_temp.id(12, m * pg_temp.setting('chain')), sha256('raw')
from made_well
where state = 'passed' and recent;
drop table made_well;

-- The chain of jobs of each plate: a dispense, moves, an incubation; a reading at its end.
create temporary table made_job as
select (m - 1) * pg_temp.setting('chain') + j as q, m, n, c, j, at, recent, state = 'passed' as done,
    case when j = 2 then 'dispense' when j = pg_temp.setting('chain') then 'read' when j = 4 then 'incubate' else 'move' end as kind
from made_plate, generate_series(1, pg_temp.setting('chain')) as j
order by m, j;
analyze made_job;

insert into job (id, kind, queue, capability, instrument, repeatable, payload, campaign_id, round_id, plate_id,
    created_at)
select pg_temp.id(12, q), kind, 'bench',
    case kind when 'dispense' then 'dispense.liquid' when 'read' then 'read.plate' when 'incubate' then 'incubate.plate' else 'move.plate' end,
    case kind when 'dispense' then 'handler-1' when 'read' then 'reader-1' when 'incubate' then 'incubator-1' else 'mover-1' end,
    kind = 'read', current_setting('growth.' || kind)::jsonb, pg_temp.id(1, c), pg_temp.id(2, n), pg_temp.id(4, m), at
from made_job;

insert into job_dependency (job_id, depends_on)
select pg_temp.id(12, q), pg_temp.id(12, q - 1) from made_job where j > 1 and recent;

-- Of a plate that is under way the first four are done.
create temporary table ended as
select pg_temp.id(12, q) as id, at, m, kind from made_job where done or j <= 4
union all
select pg_temp.id(k, n), at, null, kind from made_round, (values (10, 'propose'), (11, 'train')) as learner (k, kind)
where kind = 'propose' or not live;

insert into job_outcome (job_id, state, output, settled_at, settled_lab_at)
select id, 'succeeded', case when kind in ('move', 'read', 'dispense',
    'incubate') then current_setting('growth.' || kind || '_output')::jsonb end, at, at from ended;
insert into job_attempt (job_id, attempt, lease_token, worker, leased_at, started_at, ended_at, ending)
select id, 1, id, '00000000-0000-7000-8000-000000000001', at, at, at, 'succeeded' from ended;
insert into job_report (job_id, lease_token, actor_id, received_at, outcome, outcome_sha256, disposition)
select id, id, '00000000-0000-7000-8000-000000000001', at, '{"outcome": "succeeded"}', sha256('outcome'), 'accepted'
from ended
where m > (select max(m) from ended) - 1000;

insert into job_ready (job_id, queue, capability, instrument, priority, round_id, campaign_id, plate_id)
select pg_temp.id(12, q), 'bench', 'move.plate', 'mover-1', 0, pg_temp.id(2, n), pg_temp.id(1, c), pg_temp.id(4, m)
from made_job
where not done and j = 5;
insert into job_waiting (job_id, unmet)
select pg_temp.id(12, q), 1 from made_job where not done and j > 5;

-- The record: as many entries for a plate and for a round as the loop makes.
insert into event (happened_at, lab_at, kind, subject, subject_id, campaign_id, actor_id, body)
select at, at, kind, 'plate', pg_temp.id(4, m)::text, pg_temp.id(1, c), '00000000-0000-7000-8000-000000000001',
    jsonb_build_object('barcode', 'USED-' || m, 'ordinal', p, 'generation', 1)
from made_plate, unnest(array['PlatePlanned', 'PlateDispensing', 'PlateIncubating', 'PlateReading',
    'PlatePassed']) as kind
order by m;
insert into event (happened_at, lab_at, kind, subject, subject_id, campaign_id, actor_id, body)
select at, at, kind, 'round', pg_temp.id(2, n)::text, pg_temp.id(1, c), '00000000-0000-7000-8000-000000000001',
    jsonb_build_object('number', r)
from made_round, unnest(array['RoundStarted', 'BatchProposed', 'BatchApproved', 'RoundPlanned', 'RoundAssessed',
    'RoundClosed']) as kind
order by n;

insert into task (id, cause, message, subject, subject_id, campaign_id, opened_at, closed_at, closed_by)
select pg_temp.id(13, n), 'plate.quarantined', 'Plate USED-1 is quarantined.', 'round', pg_temp.id(2, n)::text,
    pg_temp.id(1, c), at,
    case when r < pg_temp.setting('rounds') then at end,
    case when r < pg_temp.setting('rounds') then '00000000-0000-7000-8000-000000000001'::uuid end
from made_round;

insert into notification (id, topic, cause, severity, title, message, subject, subject_id, campaign_id, state,
    opened_at, opened_by_event, closed_at)
select pg_temp.id(14, n), 'batch.waiting', 'batch.waiting', 'warning', 'A batch waits', 'Look at it.', 'batch',
    pg_temp.id(3, n)::text, pg_temp.id(1, c),
    case when r < pg_temp.setting('rounds') then 'closed' else 'open' end, at, n,
    case when r < pg_temp.setting('rounds') then at end
from made_round;

-- The posterior of each campaign's last round: over the whole pool in the first campaign, over some of it elsewhere.
insert into prediction (round_id, perturbation, context, mean, epistemic_sd, aleatoric_sd, hit_probability, score)
select pg_temp.id(2, n), pg_temp.perturbation(e), 'cells', 0.5, 0.1, 0.1, e % 100 / 200.0, e % 1000 / 1000.0
from made_round, generate_series(0, case c when 1 then pg_temp.setting('pool') else least(pg_temp.setting('pool'),
    1000) end - 1) as e
where live;

update round
set expected_hits = coalesce((
        select sum(e % 100 / 200.0)
        from generate_series((r - 1) * size, case c when 1 then pg_temp.setting('pool') else 0 end - 1) as e), 0),
    expected_hits_at = at
from made_round
where live and round.id = pg_temp.id(2, n);

insert into instrument (name, capabilities, profile, last_seen_at)
select name, array[capability], profile::jsonb, now()
from (values ('handler-1', 'dispense.liquid', current_setting('growth.handler')), ('incubator-1', 'incubate.plate',
    current_setting('growth.incubator')),
    ('reader-1', 'read.plate', current_setting('growth.reader')), ('mover-1', 'move.plate', '{}')) as known (name,
    capability, profile);

drop table made_round, made_plate, made_job, ended;
set session_replication_role = origin;
