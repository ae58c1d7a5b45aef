//! Store and route tests against a real PostgreSQL, one fresh database each.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod api_channels;
mod api_description;
mod api_jobs;
mod api_loop;
mod api_resources;
mod api_routes;
mod approval;
mod audit;
mod backup;
mod batches_people;
mod budget;
mod calendar_missed;
mod calendar_overlap;
mod calendar_ticks;
mod engine_faults;
mod engine_loop;
mod events_seal;
mod jobs_conformance;
mod jobs_graph;
mod jobs_late;
mod jobs_leaser;
mod jobs_lists;
mod jobs_lost_life;
mod jobs_plans;
mod jobs_races;
mod jobs_together;
mod laboratory;
mod logs;
mod metrics;
mod newest_first;
mod notifications_deliver;
mod notifications_open;
mod outside;
mod people;

mod plates_people;
mod questions;
mod reconciliation;
mod repeats;
mod statements;
mod stop;
mod store_access;
mod store_checks;
mod store_counts;
mod store_idempotency;
mod store_predictions;
mod store_roles;
mod store_transactions;
mod support;
mod traces;
mod upgrade;
mod uploads;
mod watchdog;
mod work;
