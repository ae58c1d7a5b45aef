//! What many ask for at the same moment, done for all of them in one transaction: a commit costs the same for one and
//! for a hundred.
//!
//! Nobody waits for company: what comes while transactions are under way goes into the next. Two are under way at a
//! time: while one waits for the disk, the other is computed. Whatever cannot be done together is left to whoever asked,
//! who then does it alone and is told what is the matter with it.

use crate::store;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Transactions under way at a time.
const BESIDE_EACH_OTHER: usize = 2;
/// Done in one transaction: its locks are held for so many.
const AT_ONCE: usize = 256;
/// Those who wait for the task. Each is a request that waits, so they are bounded like requests are.
const WAITING: usize = 4096;

/// What can be done together.
pub(super) trait Act: Send + Sync + 'static {
    type Asked: Send + 'static;
    type Answer: Send + 'static;

    /// An answer for each of `asked`, in their order: `None` for those that must be done alone. On an error nothing
    /// changed, or it is not known.
    fn act(
        &self,
        asked: &[Self::Asked],
    ) -> impl Future<Output = store::Result<Vec<Option<Self::Answer>>>> + Send;
}

/// Does for everybody who asks. See the module.
#[derive(Debug)]
pub(super) struct Together<A: Act> {
    act: Arc<A>,
    line: Mutex<Option<mpsc::Sender<Waiting<A>>>>,
}

#[derive(Debug)]
struct Waiting<A: Act> {
    asked: A::Asked,
    /// Dropped when it has to be done alone.
    reply: oneshot::Sender<A::Answer>,
}

impl<A: Act> Together<A> {
    pub fn new(act: A) -> Self {
        Self { act: Arc::new(act), line: Mutex::default() }
    }

    /// What was answered after the commit; `None` when `asked` has to be done alone.
    pub async fn ask(&self, asked: A::Asked) -> Option<A::Answer> {
        let (reply, answer) = oneshot::channel();
        self.line().send(Waiting { asked, reply }).await.ok()?;
        answer.await.ok()
    }

    fn line(&self) -> mpsc::Sender<Waiting<A>> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        // A stopped task (it panicked) is replaced.
        if let Some(line) = line.as_ref().filter(|line| !line.is_closed()) {
            return line.clone();
        }
        let (sender, arriving) = mpsc::channel(WAITING);
        *line = Some(sender.clone());
        tokio::spawn(serve(Arc::clone(&self.act), arriving));
        sender
    }
}

/// Serves the line until the [`Together`] is gone.
async fn serve<A: Act>(act: Arc<A>, mut arriving: mpsc::Receiver<Waiting<A>>) {
    let places = Arc::new(Semaphore::new(BESIDE_EACH_OTHER));
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let mut waiting = Vec::new();
        if arriving.recv_many(&mut waiting, AT_ONCE).await == 0 {
            return;
        }
        let act = Arc::clone(&act);
        tokio::spawn(async move {
            answer(act.as_ref(), waiting).await;
            drop(place);
        });
    }
}

async fn answer<A: Act>(act: &A, waiting: Vec<Waiting<A>>) {
    let (asked, replies): (Vec<A::Asked>, Vec<_>) =
        waiting.into_iter().map(|waiting| (waiting.asked, waiting.reply)).unzip();
    match store::bounded(act.act(&asked)).await {
        Ok(answers) => {
            for (reply, answer) in replies.into_iter().zip(answers) {
                if let Some(answer) = answer {
                    // An asker that is gone needs no answer.
                    let _ = reply.send(answer);
                }
            }
        }
        // Replies are dropped: each tries by itself.
        Err(error) => tracing::warn!(%error, asked = asked.len(), "done one by one instead of together"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Semaphore;

    /// Doubles even numbers, leaves odd ones, fails on a 13; each time only when it is let.
    #[derive(Debug)]
    struct Doubling {
        calls: AtomicUsize,
        lets: Semaphore,
    }

    impl Act for Doubling {
        type Asked = u32;
        type Answer = u32;

        async fn act(&self, asked: &[u32]) -> store::Result<Vec<Option<u32>>> {
            self.calls.fetch_add(1, Ordering::SeqCst);
            self.lets.acquire().await.expect("open").forget();
            if asked.contains(&13) {
                return Err(store::Error::corrupt("number", "13"));
            }
            Ok(asked.iter().map(|it| it.is_multiple_of(2).then_some(it * 2)).collect())
        }
    }

    /// Asks for 0, and for `numbers` while that is done; answers what came of those, and how often it was acted.
    async fn beside_another(numbers: std::ops::Range<u32>) -> (Vec<Option<u32>>, usize) {
        let together = Together::new(Doubling { calls: AtomicUsize::new(0), lets: Semaphore::new(0) });
        let later = async {
            while together.act.calls.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
            let lets = async { together.act.lets.add_permits(2) };
            futures::join!(join_all(numbers.map(|number| together.ask(number))), lets).0
        };
        let (first, answers) = futures::join!(together.ask(0), later);
        assert_eq!(first, Some(0));
        (answers, together.act.calls.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn what_comes_while_one_is_done_is_done_together_and_each_gets_its_own_answer() {
        let (answers, calls) = beside_another(20..120).await;
        let expected: Vec<Option<u32>> =
            (20..120u32).map(|it| it.is_multiple_of(2).then_some(it * 2)).collect();
        assert_eq!((answers, calls), (expected, 2));
    }

    #[tokio::test]
    async fn when_it_fails_nobody_has_an_answer_and_the_next_are_served() {
        let (answers, calls) = beside_another(13..15).await;
        assert_eq!((answers, calls), (vec![None, None], 2));
    }
}
