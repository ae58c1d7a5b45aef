-- Approval: who edited and who may approve, how long a batch waits, what people say of it, what they exclude.

alter table batch add column expires_lab_at timestamptz;
comment on column batch.expires_lab_at is 'Laboratory time. Approved no later than this; null: it waits for ever, or its time was over and the round is held.';

alter table approval add column roles text[] not null default '{}';
comment on column approval.roles is 'The approver''s roles in the campaign''s project at that moment; none for a token without an account.';

create table batch_edit (
    batch_id uuid not null references batch (id),
    revision integer not null check (revision > 1),
    actor_id uuid not null references actor (id),
    at timestamptz not null default now(),
    primary key (batch_id, revision)
);
comment on table batch_edit is 'Who added to a batch or removed from it, by the revision that it made. They cannot be its only approvers.';
insert into batch_edit (batch_id, revision, actor_id)
select batch_id, 1 + row_number() over (partition by batch_id order by edited_by), edited_by
from (select distinct batch_id, edited_by from proposal where edited_by is not null) as edits;

create table batch_comment (
    id uuid primary key,
    batch_id uuid not null references batch (id),
    actor_id uuid not null references actor (id),
    text text not null check (length(text) between 1 and 4000),
    at timestamptz not null default now()
);
create index batch_comment_batch on batch_comment (batch_id, id);

create table round_exclusion (
    id uuid primary key,
    round_id uuid not null references round (id),
    batch_id uuid not null references batch (id),
    kind text not null check (kind in ('batch', 'experiment', 'gene', 'tag')),
    value text not null check (value <> ''),
    reason text not null check (reason <> ''),
    actor_id uuid not null references actor (id),
    at timestamptz not null default now(),
    constraint round_exclusion_once unique (batch_id, kind, value)
);
create index round_exclusion_round on round_exclusion (round_id);
comment on table round_exclusion is 'What a rejection excluded from further proposals of its round.';
comment on column round_exclusion.value is 'A gene, a tag, an experiment (perturbation@context), or the generation whose every experiment is meant.';

create table campaign_gene (
    campaign_id uuid not null,
    version integer not null,
    gene text not null,
    tags text[] not null default '{}',
    primary key (campaign_id, version, gene),
    foreign key (campaign_id, version) references campaign_version (campaign_id, version)
);
comment on table campaign_gene is 'The genes of the design space with their tags (column `tags` of the genes file).';
-- Editions from before this table: their genes are those that a posterior over the whole pool names.
insert into campaign_gene (campaign_id, version, gene)
select distinct round.campaign_id, round.campaign_version, edit.gene
from prediction
join round on round.id = prediction.round_id
cross join unnest(string_to_array(prediction.perturbation, '+')) as edit (gene);

alter table proposal add column predict_job_id uuid references job (id);
comment on column proposal.predict_job_id is 'For what people added that the posterior does not have: the job whose answer becomes its prediction.';
create index proposal_predict_job on proposal (predict_job_id) where predict_job_id is not null;

grant select, insert, update, delete on batch_edit, batch_comment, round_exclusion, campaign_gene to loopwright_app;
revoke update, delete, truncate on batch_edit, batch_comment, round_exclusion, campaign_gene from loopwright_app;
