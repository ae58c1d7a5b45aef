//! From one release to the next, while the one before still runs: docs/upgrading.md.

mod migrations;
mod previous_release;
mod running;
