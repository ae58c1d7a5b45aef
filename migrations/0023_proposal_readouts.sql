-- What the model said of further readouts when it proposed an experiment, for those who approve it.

alter table proposal add column readouts jsonb not null default '[]';
comment on column proposal.readouts is 'Of further readouts, vectors left out: a list as in jobs::work::readout::ReadoutPrediction; empty where there are none.';
