//! Whoever sent the request.

use super::problem::Problem;
use crate::ids::{ActorId, ProjectId, SessionId, TokenId};
use crate::people::{Powers, Visible};
use crate::store::people::projects::{self, Home, Subject};
use crate::store::tokens::Scope;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use sqlx::PgConnection;
use std::collections::BTreeSet;
use uuid::Uuid;

/// How they proved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    Token(TokenId),
    Session(SessionId),
}

impl Credential {
    pub fn token(&self) -> Option<TokenId> {
        match self {
            Credential::Token(id) => Some(*id),
            Credential::Session(_) => None,
        }
    }

    pub fn session(&self) -> Option<SessionId> {
        match self {
            Credential::Session(id) => Some(*id),
            Credential::Token(_) => None,
        }
    }
}

/// An extractor for handlers of routes that are not public.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(super) id: ActorId,
    pub(super) name: String,
    pub(super) credential: Credential,
    pub(super) powers: Powers,
}

impl Caller {
    pub fn id(&self) -> ActorId {
        self.id
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The session they came with; `None` with a token.
    pub fn session(&self) -> Option<SessionId> {
        self.credential.session()
    }

    /// Somewhere.
    pub fn has(&self, scope: Scope) -> bool {
        self.powers.have_anywhere(scope)
    }

    /// Everything they may do somewhere.
    pub fn scopes(&self) -> BTreeSet<Scope> {
        self.powers.scopes()
    }

    /// What lists may show them.
    pub fn visible(&self) -> Visible {
        self.powers.visible()
    }

    /// For what only the body tells, and belongs to the whole installation: which queue.
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.powers.have_everywhere(scope) { Ok(()) } else { Err(lacks(&[scope])) }
    }

    /// For what only the body tells, and belongs to a project.
    pub fn require_in(&self, project: ProjectId, scope: Scope) -> Result<(), Problem> {
        if self.powers.have_in(project, scope) {
            Ok(())
        } else if self.powers.reach(project) {
            Err(lacks(&[scope]))
        } else {
            Err(Problem::not_found("project", project))
        }
    }

    /// For a thing that a query names: 404 when the caller may not read it.
    pub(super) async fn require_sight_of(
        &self,
        conn: &mut PgConnection,
        subject: Subject,
        id: Uuid,
    ) -> Result<(), Problem> {
        if self.powers.have_everywhere(Scope::Read) {
            return Ok(());
        }
        match projects::home(conn, subject, id).await? {
            Home::In(project) if self.powers.have_in(project, Scope::Read) => Ok(()),
            _ => Err(Problem::not_found(subject.as_str(), id)),
        }
    }

    /// Any of these scopes in `project`, which the caller may know of.
    pub(super) fn require_any_in(&self, project: ProjectId, scopes: &[Scope]) -> Result<(), Problem> {
        if scopes.iter().any(|scope| self.powers.have_in(project, *scope)) {
            Ok(())
        } else {
            Err(lacks(scopes))
        }
    }
}

/// 403: known, and may not.
pub(super) fn lacks(scopes: &[Scope]) -> Problem {
    let wanted: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let detail = format!(
        "This needs the scope {}, which your roles (or your token) do not give here. Ask an administrator.",
        wanted.join(" or ")
    );
    Problem::forbidden("access.scope_missing", detail)
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Caller>().cloned().ok_or_else(|| {
            Problem::unauthenticated("token.missing", "This route is public and knows no caller.")
        })
    }
}
