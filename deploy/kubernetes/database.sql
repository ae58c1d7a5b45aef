-- Logins and the database, once, as PostgreSQL's administrator:
--
--   psql --set owner="$(openssl rand -hex 24)" --set serve=.. --set backup=.. --file=database.sql postgres://admin@host/postgres
--
-- Four roles, each with what it needs and no more:
--   loopwright_owner   owns the schema: `loopwright migrate`, the first administrator, restores; no process that runs
--   loopwright_app     what the schema grants to the service: it may add to the record and never change it
--   loopwright_serve   the replicas' login, a member of loopwright_app
--   loopwright_backup  reads everything and writes nothing
create role loopwright_app nologin;
-- createrole: the first migration creates loopwright_app, also where it is there already, and PostgreSQL asks for the
-- privilege first. `alter role loopwright_owner nocreaterole` afterwards; a restore needs it only where the role is gone.
create role loopwright_owner login createrole password :'owner';
create role loopwright_serve login in role loopwright_app password :'serve';
create role loopwright_backup login in role pg_read_all_data password :'backup';
-- Metrics and doctor see transactions of others that hold vacuum back.
grant pg_read_all_stats to loopwright_app;
-- An administrator who is no superuser makes a database only for a role that is his.
grant loopwright_owner to current_user;
create database loopwright owner loopwright_owner;
revoke connect, temporary on database loopwright from public;
grant connect on database loopwright to loopwright_serve, loopwright_backup;
