//! The worker's steps by name, each with the moments at which a test may kill something ([`crash`](crate::crash)).

use crate::crash::{self, Moment};

crate::steps! {
    /// What every worker does with a job.
    pub enum Step {
        /// After: it holds a job, and nothing of that is on its disk.
        Lease = "worker.lease" [Before, After],
        /// During: on its disk, and the server is not told. After: the handler may begin.
        Begin = "worker.begin" [Before, During, After],
        /// After: the server knows, and the disk does not say so.
        ConfirmStart = "worker.confirm_start" [After],
        /// After: the outcome is known, and nowhere written.
        Perform = "worker.perform" [Before, After],
        /// After: on its disk, and not with the server.
        Spool = "worker.spool" [After],
        Upload = "worker.upload" [Before, After],
        /// After: the server has it, and the disk does not say so.
        Report = "worker.report" [Before, After],
        Acknowledge = "worker.acknowledge" [After],
        /// During: what became of interrupted work is known, and nowhere written.
        Recover = "worker.recover" [Before, During, After],
        Release = "worker.release" [Before, After],
    }
}

pub(super) async fn before(step: Step) {
    crash::point(step, Moment::Before).await;
}

pub(super) async fn during(step: Step) {
    crash::point(step, Moment::During).await;
}

pub(super) async fn after(step: Step) {
    crash::point(step, Moment::After).await;
}
