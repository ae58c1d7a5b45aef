//! Store and route tests against a real PostgreSQL, one fresh database each.

mod api_description;
mod api_jobs;
mod api_loop;
mod api_resources;
mod api_routes;
mod approval;
mod batches_people;
mod engine_faults;
mod engine_loop;
mod events_seal;
mod jobs_conformance;
mod jobs_graph;
mod jobs_late;
mod jobs_leaser;
mod jobs_plans;
mod jobs_races;
mod laboratory;
mod people;
mod plates_people;
mod predictions;
mod store_idempotency;
mod store_predictions;
mod store_roles;
mod support;
mod work;
