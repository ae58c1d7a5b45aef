//! What can go wrong between us and the database, with its class: retry reads the class, never the text.

use ::jobs::FailureClass;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or none free in time.
    #[error("the database cannot be reached or has no connection free")]
    Unavailable(#[source] sqlx::Error),
    /// Deadlock, serialization failure, lock or statement timeout: the same again may pass.
    #[error("the database gave the statement up because of others")]
    Contended(#[source] sqlx::Error),
    /// A named constraint refused the row.
    #[error("the database's rule {constraint} refused it")]
    Constraint {
        constraint: String,
        kind: ConstraintKind,
        #[source]
        source: sqlx::Error,
    },
    /// The application's role may not do that.
    #[error("the application's database role may not do that")]
    NotPermitted(#[source] sqlx::Error),
    /// Something the caller named does not exist.
    #[error("there is no {what} {id}")]
    NotFound { what: &'static str, id: String },
    /// The caller asked for something that this function cannot take.
    #[error("{0}")]
    Refused(String),
    /// The schema is newer than this binary.
    #[error(
        "the database's schema is at version {found}, this binary knows up to {known}: run the newer loopwright"
    )]
    SchemaNewer { found: i64, known: i64 },
    /// The schema is older than this binary.
    #[error(
        "the database's schema is at version {found}, this binary needs {known}: run `loopwright migrate` first"
    )]
    SchemaOlder { found: i64, known: i64 },
    #[error("migrating the schema failed")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// A row that we wrote cannot be read back.
    #[error("stored {what} cannot be read: {detail}")]
    Corrupt { what: &'static str, detail: String },
    /// The blob store's disk or bucket.
    #[error("the blob store failed while it {doing}")]
    BlobStore {
        doing: &'static str,
        #[source]
        source: object_store::Error,
    },
    /// Any other statement that should have worked.
    #[error("a statement failed")]
    Statement(#[source] sqlx::Error),
}

/// What sort of rule a [`Error::Constraint`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConstraintKind {
    Unique,
    ForeignKey,
    Check,
    Other,
}

impl Error {
    pub fn class(&self) -> FailureClass {
        match self {
            Error::Unavailable(_) | Error::Contended(_) | Error::BlobStore { .. } => FailureClass::Transient,
            Error::Constraint { .. } | Error::NotFound { .. } | Error::Refused(_) => FailureClass::Permanent,
            Error::SchemaNewer { .. } | Error::SchemaOlder { .. } | Error::Migrate(_) => {
                FailureClass::NeedsPerson
            }
            Error::NotPermitted(_) | Error::Corrupt { .. } | Error::Statement(_) => FailureClass::Bug,
        }
    }

    /// Stable, for logs and answers.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Unavailable(_) => "store.unavailable",
            Error::Contended(_) => "store.contended",
            Error::Constraint { .. } => "store.constraint",
            Error::NotPermitted(_) => "store.not_permitted",
            Error::NotFound { .. } => "store.not_found",
            Error::Refused(_) => "store.refused",
            Error::SchemaNewer { .. } => "store.schema_newer",
            Error::SchemaOlder { .. } => "store.schema_older",
            Error::Migrate(_) => "store.migrate",
            Error::Corrupt { .. } => "store.corrupt",
            Error::BlobStore { .. } => "store.blob",
            Error::Statement(_) => "store.statement",
        }
    }

    /// The error and what lies under it, in one line.
    pub fn with_sources(&self) -> String {
        let mut text = self.to_string();
        let mut under = std::error::Error::source(self);
        while let Some(source) = under {
            text = format!("{text}: {source}");
            under = source.source();
        }
        text
    }

    pub fn not_found(what: &'static str, id: impl std::fmt::Display) -> Self {
        Error::NotFound { what, id: id.to_string() }
    }

    pub fn corrupt(what: &'static str, detail: impl std::fmt::Display) -> Self {
        Error::Corrupt { what, detail: detail.to_string() }
    }

    /// The constraint that refused the row, if one did.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Error::Constraint { constraint, .. } => Some(constraint),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed => Error::Unavailable(error),
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default().into_owned();
                let constraint = database.constraint().map(str::to_owned);
                of_database(&code, constraint, error)
            }
            _ => Error::Statement(error),
        }
    }
}

const NOT_STORABLE: &str =
    "a text has a NUL character in it, or an instant is thousands of years away: it cannot be kept";

/// PostgreSQL's SQLSTATE decides (Appendix A of its manual).
fn of_database(code: &str, constraint: Option<String>, source: sqlx::Error) -> Error {
    let class = code.get(..2).unwrap_or_default();
    let kind = match code {
        "23505" => ConstraintKind::Unique,
        "23503" => ConstraintKind::ForeignKey,
        "23514" | "23502" => ConstraintKind::Check,
        _ => ConstraintKind::Other,
    };
    match (class, code) {
        ("23", _) => Error::Constraint { constraint: constraint.unwrap_or_default(), kind, source },
        // serialization failure, deadlock, lock not available, query cancelled (timeout)
        (_, "40001" | "40P01" | "55P03" | "57014") => Error::Contended(source),
        (_, "42501") => Error::NotPermitted(source),
        // connection exceptions, insufficient resources, operator intervention
        // and a server that is a standby now
        ("08" | "53" | "57", _) | (_, "25006") => Error::Unavailable(source),
        // data exceptions: a text with NUL, an instant beyond PostgreSQL's
        ("22", "22021" | "22P05" | "22008") => Error::Refused(NOT_STORABLE.to_owned()),
        _ => Error::Statement(source),
    }
}
