//! Traces for OpenTelemetry: a round from its proposal to its observations, over days and processes.
//!
//! A span is not held open by a process, which a restart would lose: it is told when what it covers has ended, from the
//! rows that say when that was. Ids are derived from the records' own (trace: the round; spans: round, stage, plate,
//! job, attempt), so that whoever tells a span, and however often, tells the same one, and every parent is known without
//! asking. The exporter follows the sealed record with a cursor in the database: a collector that was down is told later.
//!
//! ```text
//! round > stage (proposing, awaiting_approval, planning, executing, assessing, held)
//!           > job > attempt             propose
//!           > plate > job > attempt     dispense, move, incubate, read
//! ```

mod exporter;
mod otlp;
mod settings;
mod span;

pub use exporter::{Exporter, run};
pub use settings::Settings;
