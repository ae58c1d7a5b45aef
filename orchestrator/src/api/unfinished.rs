//! What a request began and did not finish is undone before it is answered.
//!
//! A transaction that is only dropped is rolled back whenever its connection goes back to the pool: until
//! then it keeps its locks, and whoever takes only what is free (the engine, `for update skip locked`) passes
//! its rows over. So a transaction that a handler leaves without a commit, by whichever way out, is handed
//! to the layer [`roll_back`], which waits for the end of it.

use crate::store;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

tokio::task_local! {
    /// Of the request at hand.
    static UNFINISHED: RefCell<Vec<Transaction<'static, Postgres>>>;
}

/// A transaction of a request. Dropped, it is rolled back before the answer goes out.
pub(super) struct Begun(Option<Transaction<'static, Postgres>>);

impl Begun {
    pub async fn on(pool: &PgPool) -> sqlx::Result<Self> {
        Ok(Self(Some(store::begin_on(pool).await?)))
    }

    pub async fn commit(mut self) -> sqlx::Result<()> {
        self.0.take().expect(THERE).commit().await
    }

    /// For who commits it by other means: from now on it is theirs to end.
    pub fn into_inner(mut self) -> Transaction<'static, Postgres> {
        self.0.take().expect(THERE)
    }
}

/// Only `commit` and `drop` take it away, and both end it.
const THERE: &str = "it is there until it ends";

impl Deref for Begun {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.0.as_deref().expect(THERE)
    }
}

impl DerefMut for Begun {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.0.as_deref_mut().expect(THERE)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(tx) = self.0.take() {
            // Outside of a request nobody waits: sqlx rolls it back with the connection's return.
            let _ = UNFINISHED.try_with(|unfinished| unfinished.borrow_mut().push(tx));
        }
    }
}

/// The layer around every route.
pub(super) async fn roll_back(request: Request, next: Next) -> Response {
    let answered = async {
        let answer = next.run(request).await;
        for tx in UNFINISHED.with(RefCell::take) {
            if let Err(error) = tx.rollback().await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a rollback failed; it is undone when its connection closes");
            }
        }
        answer
    };
    UNFINISHED.scope(RefCell::default(), answered).await
}
