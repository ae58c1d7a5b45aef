-- Signing on with the laboratory's identity provider (OpenID Connect), beside passwords.
--
-- Only added to, so that the release before runs on over it: to that one an account of the provider is an account whose
-- password nobody knows.

alter table account
    add column signs_in_by text not null default 'password'
        constraint account_signs_in_by check (signs_in_by in ('password', 'provider')),
    add column identity_issuer text,
    add column identity_subject text,
    add constraint account_identity_whole check ((identity_issuer is null) = (identity_subject is null)),
    add constraint account_identity_signs_on check (identity_subject is null or signs_in_by = 'provider'),
    add constraint account_signs_on_by_email check (signs_in_by = 'password' or email is not null);
create unique index account_identity on account (identity_issuer, identity_subject);
create unique index account_awaits_sign_on on account (lower(email))
    where signs_in_by = 'provider' and identity_subject is null;
create index account_by_email on account (lower(email));
comment on column account.signs_in_by is 'How its owner signs in, and in no other way. Of the provider: password_phc is a hash of nothing that anybody knows.';
comment on column account.identity_subject is 'Who the provider says it is (`sub`, never reused by that issuer), since the first sign-on. Null: whoever the provider says has this e-mail address, and has verified it.';

create table sign_on_pending (
    secret_sha256 bytea primary key check (length(secret_sha256) = 32),
    return_to text not null check (return_to like '/%' and length(return_to) <= 2000),
    address text not null check (length(address) <= 100),
    begun_at timestamptz not null default now()
);
create index sign_on_pending_by_address on sign_on_pending (address);
create index sign_on_pending_by_age on sign_on_pending (begun_at);
comment on table sign_on_pending is 'A browser that was sent to the provider. It alone has the secret, from which state, nonce and code verifier are derived: what stands here opens nothing. Used once, within ten minutes; real time.';
grant select, insert, delete on sign_on_pending to loopwright_app;
