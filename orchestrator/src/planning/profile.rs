//! What a registration may say of an instrument. Pure.
//!
//! What is missing of a profile is told by planning, which knows what it needs of it; what is there must be right.

use super::{HandlerProfile, IncubatorProfile, ReaderProfile};
use jobs::work::Kind;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Longest name.
const MOST_NAME: usize = 100;

/// Why an instrument cannot be registered so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error(
        "{0:?} is no name for an instrument: 1 to 100 letters, digits, `-`, `_`, `.` (it stands in addresses and in plates' places)"
    )]
    Name(String),
    #[error("The profile is {0}: it is an object, such as {{\"slots\": [\"1\"]}}")]
    NotAnObject(&'static str),
    #[error("The profile does not fit `{capability}`: {why}")]
    Profile { capability: &'static str, why: String },
}

/// Checks a name.
pub fn check_name(name: &str) -> Result<(), Unfit> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=MOST_NAME).contains(&name.chars().count()) && name.chars().all(fits) {
        Ok(())
    } else {
        Err(Unfit::Name(name.to_owned()))
    }
}

/// Checks a profile against what the instrument can do.
pub fn check_profile(capabilities: &[String], profile: &Value) -> Result<(), Unfit> {
    match profile {
        Value::Object(_) => {}
        Value::Null => return Err(Unfit::NotAnObject("null")),
        Value::Array(_) => return Err(Unfit::NotAnObject("a list")),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err(Unfit::NotAnObject("a single value"));
        }
    }
    let can = |kind: Kind| capabilities.iter().any(|it| it == kind.capability());
    for (kind, wrong) in [
        (Kind::Dispense, wrong::<HandlerProfile>(profile)),
        (Kind::Incubate, wrong::<IncubatorProfile>(profile)),
        (Kind::Read, wrong::<ReaderProfile>(profile)),
    ] {
        if let (true, Some(why)) = (can(kind), wrong) {
            return Err(Unfit::Profile { capability: kind.capability(), why });
        }
    }
    Ok(())
}

fn wrong<T: DeserializeOwned>(profile: &Value) -> Option<String> {
    let why = serde_path_to_error::deserialize::<_, T>(profile).err()?;
    let inner = why.inner().to_string();
    (!inner.starts_with("missing field")).then(|| format!("`{}`: {inner}", why.path()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_there_must_be_right_and_what_is_missing_may_come_later() {
        let check = |capability: &str, profile| check_profile(&[capability.to_owned()], &profile);
        assert_eq!(check("dispense.liquid", json!({})), Ok(()));
        assert_eq!(check("read.plate", json!({"slots": ["1"], "minutes_per_plate": 3})), Ok(()));
        assert_eq!(check("move.plate", json!({"slots": 7})), Ok(()), "a mover has no slots");
        let wrong = check("incubate.plate", json!({"slots": 7})).unwrap_err().to_string();
        assert!(wrong.contains("`incubate.plate`: `slots`: invalid type: integer"), "{wrong}");
        let wrong = check("dispense.liquid", json!({"destination_slot": "1", "source_slots": ["2", 3]}));
        assert!(wrong.unwrap_err().to_string().contains("`source_slots[1]`"));
        for none in [Value::Null, json!([]), json!(1), json!("x")] {
            assert!(matches!(check("move.plate", none), Err(Unfit::NotAnObject(_))));
        }
    }

    #[test]
    fn a_name_fits_into_an_address() {
        for name in ["ot2", "handler-1", "Zentrifuge_Süd.2"] {
            assert_eq!(check_name(name), Ok(()));
        }
        for name in ["", "a/b", "a b", "a\n", &"x".repeat(101)] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}
