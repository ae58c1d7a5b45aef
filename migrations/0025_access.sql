-- Whether anybody's powers have changed.
--
-- A worker comes back every half minute and is looked up each time: its token, its owner, their roles. The service
-- remembers them for as long as this number stands, and asks for it once a second for all of them.

create table access_version (
    singleton boolean primary key default true check (singleton),
    version bigint not null
);
comment on table access_version is 'Another number whenever a token, a role or an account may open less, or more, than before. A new token is none of these: nobody knew it.';
insert into access_version (version) values (1);

-- As its owner: whoever changes powers, by whichever way, is noticed.
create function access_changed() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update access_version set version = version + 1;
    return null;
end
$$;
revoke execute on function access_changed() from public;
create trigger access_changed after update of actor_id, secret_sha256, scopes, expires_at, revoked_at or delete or truncate on api_token
    for each statement execute function access_changed();
create trigger access_changed after insert or update or delete or truncate on role_grant
    for each statement execute function access_changed();
create trigger access_changed after insert or update of state or delete or truncate on account
    for each statement execute function access_changed();

grant select on access_version to loopwright_app;
