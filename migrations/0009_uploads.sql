-- Uploads in parts, and one check that was tied one way only.

-- A plate has a judgement exactly when it was judged.
alter table plate drop constraint plate_judged_has_qc;
alter table plate add constraint plate_judged_has_qc
    check ((state in ('passed', 'quarantined', 'released', 'rejected')) = (qc is not null));

create table upload (
    id uuid primary key,
    sha256 bytea not null check (length(sha256) = 32),
    size_bytes bigint not null check (size_bytes > 0),
    received_bytes bigint not null default 0,
    media_type text not null,
    created_by uuid not null references actor (id),
    created_at timestamptz not null default now(),
    touched_at timestamptz not null default now(),
    constraint upload_one_of_an_actor unique (created_by, sha256),
    constraint upload_received_is_within check (received_bytes between 0 and size_bytes)
);
comment on table upload is 'A blob on its way, in parts. Whole, it becomes a row of blob and goes; left alone for a day, it is cleared away.';
comment on column upload.touched_at is 'Real time.';
create index upload_touched on upload (touched_at);

create table upload_part (
    upload_id uuid not null references upload (id) on delete cascade,
    offset_bytes bigint not null check (offset_bytes >= 0),
    size_bytes bigint not null check (size_bytes > 0),
    object uuid not null,
    primary key (upload_id, offset_bytes)
);
comment on column upload_part.object is 'Its name in the blob store, below the upload''s: two that send the same part write two objects, and one counts.';

grant select, insert, update, delete on upload, upload_part to loopwright_app;
