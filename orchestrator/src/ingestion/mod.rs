//! From what devices reported to observations: reconciled, normalised to the plate's controls, judged.
//!
//! ```text
//! transfers intended x reported -> deliveries (reconcile)  \
//! readings x plate map -> normalised values (normalise)     > judgement (judge), observations (observe)
//! ```
//!
//! [`assess`] is all of it at once. Pure; no number here is trusted: missing wells, NaN and equal controls
//! end in a failed judgement with its reasons, never in a panic or a made-up value.

pub mod assess;
pub mod further;
pub mod judge;
pub mod normalise;
pub mod observe;
pub mod reconcile;

pub use assess::{AssessInput, Assessment, MapWell, Reading, assess};
pub use judge::{Judgement, Verdict};
pub use normalise::{ControlStatistics, Normalised};
pub use observe::Observed;
pub use reconcile::{Delivery, TransferRecord, reconcile, transfer_records, transfer_records_as_asked};
