//! Counts approvals against the policy. Pure.
//!
//! One person fills one place: each role asked for has its places, and each approver may sit on one of a role
//! that was theirs when they approved. Whether all places can be filled at once is a matching in a small
//! bipartite graph, found by augmenting paths (Kuhn). Whoever has no role still counts towards the number.

use crate::campaigns::policy::Policy;
use crate::ids::ActorId;
use std::collections::BTreeSet;

/// One person's yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approver {
    pub actor: ActorId,
    /// Theirs in the campaign's project when they approved.
    pub roles: Vec<String>,
}

/// Where the approvals of one revision stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Different people who must approve.
    pub needed: u32,
    pub given: u32,
    /// In the order of the policy.
    pub roles: Vec<RoleTally>,
    /// Somebody who did not edit the batch must approve, and nobody has.
    pub outsider_missing: bool,
}

/// Places of one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleTally {
    pub role: &'static str,
    pub needed: u32,
    /// Filled, when as many places as possible are.
    pub given: u32,
}

/// Why a further approval would change nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// They edited the batch, and only somebody who did not is missing.
    OwnEdit,
    /// Only roles are missing that they do not have.
    NoRole,
}

impl Tally {
    /// `editors`: everybody who added to the batch or removed from it.
    pub fn of(policy: &Policy, approvers: &[Approver], editors: &BTreeSet<ActorId>) -> Self {
        let roles = filled(policy, approvers);
        let people: BTreeSet<ActorId> = approvers.iter().map(|approver| approver.actor).collect();
        Self {
            needed: policy.people_needed(),
            given: u32::try_from(people.len()).unwrap_or(u32::MAX),
            roles,
            outsider_missing: !policy.self_approval && !editors.is_empty() && people.is_subset(editors),
        }
    }

    /// Nobody more is needed.
    pub fn is_complete(&self) -> bool {
        self.missing_people() == 0
    }

    /// How many people more are needed, at least.
    pub fn missing_people(&self) -> u32 {
        let by_number = self.needed.saturating_sub(self.given);
        by_number.max(self.places_left()).max(u32::from(self.outsider_missing))
    }

    /// What is missing, for people: `2 more people: 1 in the role engineer`; `None` when nothing is.
    pub fn in_words(&self) -> Option<String> {
        let people = match self.missing_people() {
            0 => return None,
            1 => "1 more person".to_owned(),
            many => format!("{many} more people"),
        };
        let left = self.roles.iter().filter(|role| role.given < role.needed);
        let mut of_them: Vec<String> =
            left.map(|role| format!("{} in the role {}", role.needed - role.given, role.role)).collect();
        if self.outsider_missing {
            of_them.push("1 who did not edit it".to_owned());
        }
        Some(if of_them.is_empty() { people } else { format!("{people}: {}", of_them.join(", ")) })
    }

    fn places_left(&self) -> u32 {
        self.roles.iter().map(|role| role.needed - role.given).sum()
    }
}

/// Whether the approval of `one` more would be of use, whoever else approves later: it fills a place, is the
/// first of somebody who did not edit, or counts towards the number beyond what must come anyway.
pub fn is_idle(
    policy: &Policy,
    approvers: &[Approver],
    editors: &BTreeSet<ActorId>,
    one: &Approver,
) -> Option<Idle> {
    let before = Tally::of(policy, approvers, editors);
    if before.is_complete() {
        return None;
    }
    let with: Vec<Approver> = approvers.iter().chain([one]).cloned().collect();
    let after = Tally::of(policy, &with, editors);
    let fills_a_place = after.places_left() < before.places_left();
    let is_the_outsider = before.outsider_missing && !after.outsider_missing;
    let must_come_anyway = before.places_left().max(u32::from(after.outsider_missing));
    let counts = before.needed.saturating_sub(before.given) > must_come_anyway;
    if fills_a_place || is_the_outsider || counts {
        return None;
    }
    Some(if after.outsider_missing { Idle::OwnEdit } else { Idle::NoRole })
}

/// The places of each role, as many as possible filled.
fn filled(policy: &Policy, approvers: &[Approver]) -> Vec<RoleTally> {
    let places: Vec<&'static str> = policy
        .roles
        .asked()
        .flat_map(|(role, needed)| std::iter::repeat_n(role, usize::try_from(needed).unwrap_or(0)))
        .collect();
    let mut sits = vec![None; places.len()];
    for (index, approver) in approvers.iter().enumerate() {
        let twice = approvers.iter().take(index).any(|earlier| earlier.actor == approver.actor);
        if !twice {
            seat(index, approvers, &places, &mut sits, &mut vec![false; places.len()]);
        }
    }
    let count = |role: &str| {
        let taken = places.iter().zip(&sits).filter(|(place, by)| **place == role && by.is_some()).count();
        u32::try_from(taken).unwrap_or(u32::MAX)
    };
    policy.roles.asked().map(|(role, needed)| RoleTally { role, needed, given: count(role) }).collect()
}

/// Finds a place for `who`, moving others along where they may sit elsewhere.
fn seat(
    who: usize,
    approvers: &[Approver],
    places: &[&'static str],
    sits: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    let Some(approver) = approvers.get(who) else { return false };
    for (place, role) in places.iter().enumerate() {
        if tried[place] || !approver.roles.iter().any(|own| own == role) {
            continue;
        }
        tried[place] = true;
        if sits[place].is_none_or(|other| seat(other, approvers, places, sits, tried)) {
            sits[place] = Some(who);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaigns::policy::ApproverRoles;
    use proptest::prelude::*;
    use uuid::Uuid;

    const ROLES: [&str; 3] = ["scientist", "engineer", "admin"];

    fn person(id: u128, roles: &[&str]) -> Approver {
        Approver {
            actor: ActorId(Uuid::from_u128(id)),
            roles: roles.iter().map(ToString::to_string).collect(),
        }
    }

    fn policy(approvals: u32, scientist: u32, engineer: u32) -> Policy {
        let roles = ApproverRoles { scientist, engineer, admin: 0 };
        Policy { approvals, roles, ..Policy::default() }
    }

    fn editors(ids: &[u128]) -> BTreeSet<ActorId> {
        ids.iter().map(|id| ActorId(Uuid::from_u128(*id))).collect()
    }

    #[test]
    fn one_person_of_two_roles_fills_one_place() {
        let both = person(1, &["scientist", "engineer"]);
        let policy = policy(2, 1, 1);
        let one = Tally::of(&policy, std::slice::from_ref(&both), &editors(&[]));
        assert_eq!((one.given, one.places_left(), one.missing_people()), (1, 1, 1));
        // Who came first moves over, so that the second can sit.
        for other in ["scientist", "engineer"] {
            let two = Tally::of(&policy, &[both.clone(), person(2, &[other])], &editors(&[]));
            assert!(two.is_complete(), "{other}: {two:?}");
        }
        let twice = Tally::of(&policy, &[both.clone(), both], &editors(&[]));
        assert_eq!((twice.given, twice.places_left()), (1, 1));
    }

    #[test]
    fn who_edited_is_never_the_only_approver() {
        let policy = policy(2, 0, 0);
        let (ada, grace, rosa) = (person(1, &[]), person(2, &[]), person(3, &[]));
        let both_edited = editors(&[1, 2]);
        let tally = Tally::of(&policy, &[ada.clone(), grace.clone()], &both_edited);
        assert_eq!(tally.in_words().as_deref(), Some("1 more person: 1 who did not edit it"));
        assert!(Tally::of(&policy, &[ada.clone(), rosa], &both_edited).is_complete());
        let allowed = Policy { self_approval: true, ..policy.clone() };
        assert!(Tally::of(&allowed, &[ada.clone(), grace.clone()], &both_edited).is_complete());
        assert_eq!(is_idle(&policy, &[], &both_edited, &ada), None, "the first of two");
        assert_eq!(is_idle(&policy, &[ada], &both_edited, &grace), Some(Idle::OwnEdit));
    }

    #[test]
    fn what_is_missing_is_told_in_words() {
        let tally = Tally::of(&policy(3, 1, 1), &[person(1, &["engineer"])], &editors(&[1]));
        let words = "2 more people: 1 in the role scientist, 1 who did not edit it";
        assert_eq!(tally.in_words().as_deref(), Some(words));
        let scientist = person(2, &["scientist"]);
        let second = person(3, &["scientist"]);
        assert_eq!(is_idle(&policy(2, 1, 1), &[scientist], &editors(&[]), &second), Some(Idle::NoRole));
    }

    fn people() -> impl Strategy<Value = Vec<Approver>> {
        let roles = prop::collection::btree_set(0usize..3, 0..3);
        prop::collection::vec(roles, 0..5).prop_map(|all| {
            let named = |roles: BTreeSet<usize>| roles.into_iter().map(|r| ROLES[r]).collect::<Vec<_>>();
            all.into_iter().zip(1u128..).map(|(roles, id)| person(id, &named(roles))).collect()
        })
    }

    fn policies() -> impl Strategy<Value = Policy> {
        (0u32..4, 0u32..3, 0u32..3, 0u32..2, any::<bool>()).prop_map(|(approvals, a, b, c, own)| Policy {
            approvals,
            roles: ApproverRoles { scientist: a, engineer: b, admin: c },
            self_approval: own,
            ..Policy::default()
        })
    }

    /// The most places that can be filled, by trying every way to seat everybody.
    fn most(people: &[Approver], places: &[&str]) -> usize {
        let Some((first, rest)) = people.split_first() else { return 0 };
        let own = |role: &str| first.roles.iter().any(|own| own == role);
        let seated = (0..places.len()).filter(|place| own(places[*place])).map(|place| {
            let left: Vec<&str> = [&places[..place], &places[place + 1..]].concat();
            1 + most(rest, &left)
        });
        seated.chain([most(rest, places)]).max().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn as_many_places_are_filled_as_can_be(policy in policies(), people in people()) {
            let tally = Tally::of(&policy, &people, &BTreeSet::new());
            let places: Vec<&str> = policy.roles.asked().flat_map(|(role, n)| vec![role; n as usize]).collect();
            let given: u32 = tally.roles.iter().map(|role| role.given).sum();
            prop_assert_eq!(given as usize, most(&people, &places));
        }

        #[test]
        fn a_further_approval_never_takes_anything_back(policy in policies(), people in people(), own in prop::collection::btree_set(1u128..6, 0..4)) {
            let own = editors(&own.into_iter().collect::<Vec<_>>());
            for length in 1..=people.len() {
                let [before, after] = [length - 1, length].map(|n| Tally::of(&policy, &people[..n], &own));
                prop_assert!(after.missing_people() <= before.missing_people());
            }
        }

        /// Whoever is turned away was not needed: with everybody else the batch is complete all the same.
        #[test]
        fn nobody_is_turned_away_who_could_have_made_the_difference(policy in policies(), people in people(), own in prop::collection::btree_set(1u128..6, 0..4)) {
            let own = editors(&own.into_iter().collect::<Vec<_>>());
            for cut in 0..people.len() {
                let (one, before) = (&people[cut], &people[..cut]);
                if is_idle(&policy, before, &own, one).is_some() {
                    let without: Vec<_> = people.iter().filter(|p| *p != one).cloned().collect();
                    if Tally::of(&policy, &people, &own).is_complete() {
                        prop_assert!(Tally::of(&policy, &without, &own).is_complete());
                    }
                }
            }
        }
    }
}
