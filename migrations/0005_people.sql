-- People: accounts that sign in with a password, roles granted per project, browser sessions.
--
-- Everything here is ruled by real time: laboratory time says nothing about who may sign in.

create table account (
    actor_id uuid primary key references actor (id),
    display_name text not null check (display_name <> ''),
    email text check (email like '%_@_%'),
    password_phc text not null check (password_phc like '$argon2id$%'),
    state text not null default 'active' check (state in ('active', 'disabled')),
    must_change_password boolean not null default false,
    is_demo boolean not null default false,
    password_changed_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    last_sign_in_at timestamptz
);
comment on table account is 'A person who may sign in. The actor of the same id is who the record names; an account is disabled, never deleted.';
comment on column account.password_phc is 'argon2id, in PHC string format.';
comment on column account.is_demo is 'Made by `loopwright demo`, with a password that was printed: serve refuses a non-loopback address while one is active.';

create table role_grant (
    id uuid primary key,
    actor_id uuid not null references account (actor_id),
    project_id uuid references project (id),
    role text not null check (role in ('viewer', 'operator', 'scientist', 'engineer', 'admin')),
    granted_by uuid not null references actor (id),
    granted_at timestamptz not null default now(),
    constraint role_grant_once unique nulls not distinct (actor_id, project_id, role)
);
comment on column role_grant.project_id is 'Null: in every project, and for what belongs to none (instruments, stock, users).';

create table session (
    id uuid primary key,
    actor_id uuid not null references account (actor_id),
    secret_sha256 bytea not null unique check (length(secret_sha256) = 32),
    created_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    idle_expires_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    user_agent text not null default '' check (length(user_agent) <= 300),
    address text not null default '' check (length(address) <= 100)
);
create index session_of_actor on session (actor_id) where ended_at is null;
comment on table session is 'A browser that is signed in. The cookie holds 256 random bits; only their SHA-256 is kept.';

create table sign_in_failure (
    id bigint generated always as identity primary key,
    name text not null check (length(name) <= 200),
    address text not null check (length(address) <= 100),
    happened_at timestamptz not null default now()
);
create index sign_in_failure_by_name on sign_in_failure (name, happened_at);
create index sign_in_failure_by_address on sign_in_failure (address, happened_at);
comment on table sign_in_failure is 'For throttling; rows older than a day are removed.';

grant select, insert, update, delete on account, role_grant, session, sign_in_failure to loopwright_app;
grant usage on sequence sign_in_failure_id_seq to loopwright_app;
revoke delete, truncate on account from loopwright_app;
