//! Who must approve a batch before anything moves. Part of the campaign file.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a batch needs before it goes to the robots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// How many different people must approve.
    pub approvals: u32,
    /// How many of them, at least, in each role; one person fills one place.
    pub roles: ApproverRoles,
    /// Whether those who edited a batch may be its only approvers.
    pub self_approval: bool,
    /// Laboratory hours that a batch waits; then it must be looked at anew. Absent: for ever.
    pub expires_hours: Option<f64>,
    /// Approve without people; recorded as done by the system under this policy.
    pub auto_approve: bool,
    /// Beyond it people are asked all the same.
    pub auto_approve_limit: Option<AutoApproveLimit>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            approvals: 1,
            roles: ApproverRoles::default(),
            self_approval: false,
            expires_hours: None,
            auto_approve: false,
            auto_approve_limit: None,
        }
    }
}

impl Policy {
    /// Different people who must approve, where people are asked.
    pub fn people_needed(&self) -> u32 {
        self.approvals.max(self.roles.total()).max(1)
    }
}

/// The roles that may approve, and how many people of each must.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApproverRoles {
    pub scientist: u32,
    pub engineer: u32,
    pub admin: u32,
}

impl ApproverRoles {
    /// Role and least number, of those that are asked for.
    pub fn asked(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let each = [("scientist", self.scientist), ("engineer", self.engineer), ("admin", self.admin)];
        each.into_iter().filter(|(_, needed)| *needed > 0)
    }

    /// People asked for, over all roles.
    pub fn total(&self) -> u32 {
        [self.scientist, self.engineer, self.admin].into_iter().fold(0, u32::saturating_add)
    }
}

/// The largest batch that goes without people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AutoApproveLimit {
    pub experiments: Option<u32>,
    pub plates: Option<u32>,
    /// In the currency of `[cost]`.
    pub cost: Option<f64>,
}
