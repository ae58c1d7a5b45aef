-- From where an act came, and which canonical form the chain hashed.
--
-- Expanding only: a replica of before this migration goes on adding events (without an origin) and sealing them
-- (under form 1, which knows none).

alter table event add column origin jsonb;
comment on column event.origin is 'From where a person or token asked: client address, token or session (never its secret), request; for commands on the database the operating system''s user and host. Null: the service itself.';
alter table event add constraint event_origin_is_an_object check (origin is null or jsonb_typeof(origin) = 'object');

alter table event_seal add column form smallint not null default 1;
comment on column event_seal.form is 'Which canonical form of the event was hashed: 1 without its origin, 2 with it (docs/audit.md).';
alter table event_seal add constraint event_seal_form_is_known check (form in (1, 2));
