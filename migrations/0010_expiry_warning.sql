-- Approvers are warned once before the time of a batch is over.

alter table batch add column expiry_warned_lab_at timestamptz;
comment on column batch.expiry_warned_lab_at is 'The value of expires_lab_at that people were warned of: once per window.';
