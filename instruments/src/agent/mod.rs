//! What the binary adds to [`jobs::worker`] and [`instruments::drivers`]: settings, logs, signals.

mod logging;
mod run;
mod settings;

pub use logging::log_to_stderr;
pub use run::run;
pub use settings::Settings;
