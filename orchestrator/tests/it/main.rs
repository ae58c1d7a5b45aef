//! Store and route tests against a real PostgreSQL, one fresh database each.

mod api_routes;
mod engine_loop;
mod laboratory;
mod support;
