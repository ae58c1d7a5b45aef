//! What a caller may do, and where. Pure.

use super::role::Role;
use crate::ids::ProjectId;
use crate::store::tokens::Scope;
use std::collections::{BTreeMap, BTreeSet};

/// A role of somebody, in one project or everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// `None`: in every project, and for what belongs to none.
    pub project: Option<ProjectId>,
    pub role: Role,
}

/// Scopes by place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Powers {
    everywhere: BTreeSet<Scope>,
    projects: BTreeMap<ProjectId, BTreeSet<Scope>>,
}

/// The projects that somebody may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visible {
    All,
    Only(Vec<ProjectId>),
}

impl Powers {
    /// The same scopes everywhere: what a token of a machine has.
    pub fn everywhere(scopes: impl IntoIterator<Item = Scope>) -> Self {
        Self { everywhere: scopes.into_iter().collect(), projects: BTreeMap::new() }
    }

    /// What these roles stand for.
    pub fn of(grants: &[Grant]) -> Self {
        let mut powers = Self::default();
        for Grant { project, role } in grants {
            let there = match project {
                None => &mut powers.everywhere,
                Some(project) => powers.projects.entry(*project).or_default(),
            };
            there.extend(role.scopes());
        }
        powers
    }

    /// Only those of `scopes`: a token opens no more than it was made for, and no more than its owner may.
    pub fn limited_to(mut self, scopes: &BTreeSet<Scope>) -> Self {
        self.everywhere.retain(|scope| scopes.contains(scope));
        for there in self.projects.values_mut() {
            there.retain(|scope| scopes.contains(scope));
        }
        self
    }

    /// In at least one place.
    pub fn have_anywhere(&self, scope: Scope) -> bool {
        self.have_everywhere(scope) || self.projects.values().any(|scopes| scopes.contains(&scope))
    }

    /// In every project, and for what belongs to none.
    pub fn have_everywhere(&self, scope: Scope) -> bool {
        self.everywhere.contains(&scope)
    }

    pub fn have_in(&self, project: ProjectId, scope: Scope) -> bool {
        self.have_everywhere(scope) || self.projects.get(&project).is_some_and(|there| there.contains(&scope))
    }

    /// Any power at all in `project`: who has none must not learn that it is there.
    pub fn reach(&self, project: ProjectId) -> bool {
        !self.everywhere.is_empty() || self.projects.get(&project).is_some_and(|there| !there.is_empty())
    }

    /// Whether there is no place but everywhere.
    pub fn are_the_same_everywhere(&self) -> bool {
        self.projects.is_empty()
    }

    /// Everything that is held in at least one place.
    pub fn scopes(&self) -> BTreeSet<Scope> {
        self.projects.values().flatten().chain(&self.everywhere).copied().collect()
    }

    /// What lists may show.
    pub fn visible(&self) -> Visible {
        if self.have_everywhere(Scope::Read) {
            return Visible::All;
        }
        let readable = self.projects.iter().filter(|(_, scopes)| scopes.contains(&Scope::Read));
        Visible::Only(readable.map(|(project, _)| *project).collect())
    }
}

impl Visible {
    /// Whether what is in `project` may be shown.
    pub fn shows(&self, project: ProjectId) -> bool {
        match self {
            Visible::All => true,
            Visible::Only(projects) => projects.contains(&project),
        }
    }

    /// For SQL: `None` is no limit.
    pub fn limit(&self) -> Option<Vec<uuid::Uuid>> {
        match self {
            Visible::All => None,
            Visible::Only(projects) => Some(projects.iter().map(|project| project.0).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(project: Option<ProjectId>, role: Role) -> Grant {
        Grant { project, role }
    }

    #[test]
    fn a_role_in_one_project_opens_nothing_in_another() {
        let (ours, theirs) = (ProjectId::fresh(), ProjectId::fresh());
        let powers = Powers::of(&[grant(Some(ours), Role::Scientist)]);
        assert!(powers.have_in(ours, Scope::BatchApprove) && powers.have_anywhere(Scope::BatchApprove));
        assert!(!powers.have_in(theirs, Scope::Read) && !powers.reach(theirs));
        assert!(!powers.have_everywhere(Scope::Read));
        assert_eq!(powers.visible(), Visible::Only(vec![ours]));
    }

    #[test]
    fn a_role_everywhere_opens_every_project() {
        let powers = Powers::of(&[grant(None, Role::Viewer)]);
        assert!(powers.have_in(ProjectId::fresh(), Scope::Read));
        assert_eq!(powers.visible(), Visible::All);
    }

    #[test]
    fn a_token_never_opens_more_than_its_owner_may() {
        let powers = Powers::of(&[grant(None, Role::Viewer)])
            .limited_to(&[Scope::Read, Scope::Admin, Scope::BatchApprove].into());
        assert_eq!(powers.scopes(), [Scope::Read].into());
        let powers = Powers::of(&[grant(None, Role::Admin)]).limited_to(&[Scope::Read].into());
        assert_eq!(powers.scopes(), [Scope::Read].into());
    }
}
