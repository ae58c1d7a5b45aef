//! A thread of its own for model code, behind a handle: tensors do not cross awaits.

use crate::model::Stop;
use crate::worker::tasks::{Answer, Shelf, Task};
use crate::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

struct Order {
    task: Task,
    stop: Stop,
    answer: oneshot::Sender<Result<Answer>>,
}

/// Dropping the handle waits for the thread, which ends at the next safe point: libtorch must not be in
/// use while the process exits.
pub struct ModelThread {
    /// `None` only while it is being dropped.
    orders: Option<mpsc::Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

/// Whoever stops waiting for a task stops the task.
struct StopWhenDropped(Stop);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.request();
    }
}

impl Drop for ModelThread {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a model thread ended in a panic");
        }
    }
}

impl ModelThread {
    /// # Errors
    /// When the system gives no thread.
    pub fn start(name: &str) -> std::io::Result<Self> {
        let (orders, inbox) = mpsc::channel::<Order>();
        let run = move || {
            let mut shelf = Shelf::default();
            for order in inbox {
                // Nobody may be waiting any more: then the answer is dropped.
                let _ = order.answer.send(perform(&mut shelf, &order.task, &order.stop));
            }
        };
        let thread = std::thread::Builder::new().name(format!("model-{name}")).spawn(run)?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Performs `task`; `stop`, or dropping the future, ends a training early.
    pub async fn perform(&self, task: Task, stop: Stop) -> Result<Answer> {
        let (answer, answered) = oneshot::channel();
        let gone = || Error::Panicked("its thread is gone".into());
        let _stop_when_dropped = StopWhenDropped(stop.clone());
        let orders = self.orders.as_ref().ok_or_else(gone)?;
        orders.send(Order { task, stop, answer }).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

/// A panic in a library is this task's failure, not the end of the learner. What it may have left half
/// made is thrown away with the shelf.
fn perform(shelf: &mut Shelf, task: &Task, stop: &Stop) -> Result<Answer> {
    catch_unwind(AssertUnwindSafe(|| shelf.perform(task, stop))).unwrap_or_else(|panic| {
        *shelf = Shelf::default();
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Error::Panicked(words.unwrap_or("without words").to_owned()))
    })
}
