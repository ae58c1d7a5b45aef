//! The five roles and the scopes each stands for.

use crate::store::tokens::Scope;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PersonRole)]
pub enum Role {
    /// Sees everything that is not a secret.
    Viewer,
    /// Works at the bench: tasks, stock, jobs in doubt, plates that failed QC.
    Operator,
    /// Edits and approves batches, decides on plates.
    Scientist,
    /// Writes campaigns, runs the robots, approves.
    Engineer,
    /// Everything a person may do; users, projects and tokens.
    Admin,
}

impl Role {
    pub const ALL: [Role; 5] = [Role::Viewer, Role::Operator, Role::Scientist, Role::Engineer, Role::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Scientist => "scientist",
            Role::Engineer => "engineer",
            Role::Admin => "admin",
        }
    }

    /// What it opens.
    pub fn scopes(self) -> &'static [Scope] {
        match self {
            Role::Viewer => &[Scope::Read],
            Role::Operator => &[
                Scope::Read,
                Scope::WorkPeople,
                Scope::JobResolve,
                Scope::InventoryWrite,
                Scope::PlateDecide,
            ],
            Role::Scientist => {
                &[Scope::Read, Scope::BatchEdit, Scope::BatchApprove, Scope::PlateDecide, Scope::WorkPeople]
            }
            Role::Engineer => &[
                Scope::Read,
                Scope::CampaignWrite,
                Scope::BatchEdit,
                Scope::BatchApprove,
                Scope::PlateDecide,
                Scope::JobResolve,
                Scope::InventoryWrite,
                Scope::InstrumentWrite,
                Scope::WorkPeople,
            ],
            Role::Admin => &[
                Scope::Read,
                Scope::CampaignWrite,
                Scope::BatchEdit,
                Scope::BatchApprove,
                Scope::PlateDecide,
                Scope::JobResolve,
                Scope::InventoryWrite,
                Scope::InstrumentWrite,
                Scope::WorkPeople,
                Scope::Admin,
            ],
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no role.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a role: viewer, operator, scientist, engineer or admin")]
pub struct NotARole(String);

impl std::str::FromStr for Role {
    type Err = NotARole;
    fn from_str(word: &str) -> Result<Self, NotARole> {
        Role::ALL.into_iter().find(|role| role.as_str() == word).ok_or_else(|| NotARole(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_person_opens_the_queues_of_machines() {
        for role in Role::ALL {
            assert!(!role.scopes().contains(&Scope::WorkBench) && !role.scopes().contains(&Scope::WorkLearn));
        }
    }

    #[test]
    fn only_an_admin_has_admin_and_everybody_reads() {
        for role in Role::ALL {
            assert_eq!(role.scopes().contains(&Scope::Admin), role == Role::Admin);
            assert!(role.scopes().contains(&Scope::Read), "{role}");
        }
    }
}
