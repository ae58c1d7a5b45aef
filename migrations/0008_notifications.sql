-- What people are told: notifications, the channels they go out by, and their deliveries.
--
-- A notification, its event and its deliveries are one transaction, made from the outbox by one relay at a
-- time. Everything here is ruled by real time: people wait in real time.

create table outbox_relay (
    singleton boolean primary key default true check (singleton)
);
comment on table outbox_relay is 'Its row lock makes one relay at a time: what closes a notification is never read before what opened it.';
insert into outbox_relay default values;
alter table outbox drop column attempts;

create table notification (
    id uuid primary key,
    topic text not null check (topic in ('batch.waiting', 'approval.expiring', 'job.in_doubt', 'plate.quarantined', 'round.held', 'agent.lost', 'campaign.finished', 'task.waiting')),
    cause text not null,
    severity text not null check (severity in ('info', 'warning', 'critical')),
    title text not null,
    message text not null,
    subject text not null,
    subject_id text not null,
    campaign_id uuid references campaign (id),
    state text not null default 'open' check (state in ('open', 'acknowledged', 'closed')),
    opened_at timestamptz not null default now(),
    opened_by_event bigint not null unique references event (id),
    acknowledged_at timestamptz,
    acknowledged_by uuid references actor (id),
    escalations integer not null default 0 check (escalations >= 0),
    escalate_at timestamptz,
    closed_at timestamptz,
    constraint notification_acknowledged_by_someone check ((acknowledged_at is null) = (acknowledged_by is null)),
    constraint notification_acknowledged check (state = 'closed' or (state = 'acknowledged') = (acknowledged_at is not null)),
    constraint notification_closed check ((state = 'closed') = (closed_at is not null)),
    constraint notification_escalates_while_open check (escalate_at is null or state = 'open')
);
create unique index notification_one_open_per_cause on notification (cause, subject_id) where state <> 'closed';
create index notification_to_escalate on notification (escalate_at) where escalate_at is not null;
comment on table notification is 'What people are told: at most one open per cause and subject. Closes itself when the cause is gone.';
comment on column notification.opened_by_event is 'One event opens at most one notification, however often it is read.';
comment on column notification.escalate_at is 'Real time; null: acknowledged, closed, told often enough, or nothing to act on.';

create table channel (
    id uuid primary key,
    name text not null check (length(name) between 1 and 60),
    kind text not null check (kind in ('webhook', 'slack', 'email')),
    target text not null check (length(target) between 1 and 2000),
    sealed bytea,
    topics text[] not null default '{}',
    minimum_severity text not null default 'info' check (minimum_severity in ('info', 'warning', 'critical')),
    project_id uuid references project (id),
    escalation_level integer not null default 0 check (escalation_level between 0 and 3),
    enabled boolean not null default true,
    created_by uuid not null references actor (id),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    removed_at timestamptz,
    constraint channel_removed_is_silent check (removed_at is null or not enabled),
    constraint channel_seals_its_secret check ((kind = 'email') = (sealed is null) or removed_at is not null)
);
create unique index channel_name on channel (name) where removed_at is null;
comment on column channel.target is 'Webhook: the address posted to. E-mail: the mailbox. Slack: the host only; the address itself is a secret, and sealed.';
comment on column channel.sealed is 'Signing secret (webhook) or address (Slack), encrypted with a key that is not in this database.';
comment on column channel.topics is 'Empty: every topic.';
comment on column channel.escalation_level is '0: told when a notification opens; n: told with its n-th escalation.';

create table delivery (
    id uuid primary key,
    notification_id uuid references notification (id),
    channel_id uuid not null references channel (id),
    escalation integer not null default 0 check (escalation >= 0),
    state text not null default 'pending' check (state in ('pending', 'delivered', 'dead', 'cancelled')),
    tries integer not null default 0 check (tries >= 0),
    attempts integer not null default 0 check (attempts >= tries),
    due_at timestamptz not null default now(),
    claim_token uuid,
    claim_expires_at timestamptz,
    last_error text,
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    unique (notification_id, channel_id, escalation),
    constraint delivery_pending_has_not_ended check ((state = 'pending') = (ended_at is null)),
    constraint delivery_claim_expires check ((claim_token is null) = (claim_expires_at is null)),
    constraint delivery_claimed_while_pending check (claim_token is null or state = 'pending')
);
create index delivery_due on delivery (due_at) where state = 'pending';
create index delivery_of_channel on delivery (channel_id, state);
create index delivery_ended on delivery (ended_at) where ended_at is not null;
comment on table delivery is 'One telling to one channel, at least once; its id is what receivers know it by. dead: given up, until a person orders it again.';
comment on column delivery.notification_id is 'Null: a test of the channel.';
comment on column delivery.tries is 'Since it was made or ordered again; attempts counts all of them.';
comment on column delivery.claim_expires_at is 'Real time: the claim of a process that was killed returns then.';

create table delivery_attempt (
    delivery_id uuid not null references delivery (id) on delete cascade,
    attempt integer not null check (attempt > 0),
    began_at timestamptz not null default now(),
    ended_at timestamptz,
    outcome text check (outcome in ('delivered', 'failed')),
    status integer,
    detail text,
    primary key (delivery_id, attempt),
    constraint delivery_attempt_ended_has_outcome check ((ended_at is null) = (outcome is null))
);
comment on table delivery_attempt is 'Each attempt; one without an end is under way, or its process was killed.';

alter table instrument add column lost_since timestamptz;
comment on column instrument.lost_since is 'Real time: since when its agent counts as lost (it was seen, is silent, and is in service); null: it does not.';

grant select, insert, update, delete on outbox_relay, notification, channel, delivery, delivery_attempt to loopwright_app;
revoke delete, truncate on notification, channel, outbox_relay from loopwright_app;
