//! The gate: only a robot whose quirks we know is driven, and only the one that was meant.

use super::model::Health;
use jobs::{Failure, FailureClass};

const ROBOT_MODEL: &str = "OT-2 Standard";
/// CSV run-time parameters came with 8.0.
const OLDEST_MAJOR: u32 = 8;
/// Of the vetted protocol.
const PROTOCOL_API: (u32, u32) = (2, 20);

/// Whether this is a robot that can run the vetted protocol, and the one of this name or serial number, where
/// one is `meant`.
pub(super) fn check(health: &Health, meant: Option<&str>) -> Result<(), Failure> {
    let refuse = |what: &str, message: String| {
        let message = format!("Nothing was begun: {message}");
        Err(Failure::new(FailureClass::NeedsPerson, format!("opentrons.{what}"), message))
    };
    if let Some(meant) = meant.filter(|meant| !is_called(health, meant)) {
        return refuse(
            "another_robot",
            format!(
                "this is the robot {} with the serial number {}, not {meant}. Check the agent's address (--device-url) and what the robot should be called (--robot).",
                health.name,
                health.robot_serial.as_deref().unwrap_or("(it tells none)")
            ),
        );
    }
    if health.robot_model != ROBOT_MODEL {
        return refuse(
            "wrong_robot",
            format!(
                "{} is a {}; the protocol is for an {ROBOT_MODEL}. Check the agent's address.",
                health.name, health.robot_model
            ),
        );
    }
    if major(&health.api_version).is_none_or(|major| major < OLDEST_MAJOR) {
        return refuse(
            "wrong_version",
            format!(
                "the robot's software is {}, at least {OLDEST_MAJOR}.0.0 is needed. Update the robot.",
                health.api_version
            ),
        );
    }
    if health.maximum_protocol_api_version.is_some_and(|newest| newest < PROTOCOL_API) {
        return refuse(
            "wrong_version",
            format!(
                "the robot runs protocols up to API {:?}, at least {PROTOCOL_API:?} is needed. Update the robot.",
                health.maximum_protocol_api_version.unwrap_or_default()
            ),
        );
    }
    Ok(())
}

fn is_called(health: &Health, meant: &str) -> bool {
    health.name == meant || health.robot_serial.as_deref() == Some(meant)
}

/// Of `8.1.0`, `v8.2.0-alpha.1`.
fn major(version: &str) -> Option<u32> {
    version.trim_start_matches('v').split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(model: &str, version: &str, newest: Option<(u32, u32)>) -> Health {
        Health {
            name: "opentrons".to_owned(),
            robot_model: model.to_owned(),
            api_version: version.to_owned(),
            robot_serial: Some("OT2CEP20".to_owned()),
            maximum_protocol_api_version: newest,
        }
    }

    #[test]
    fn only_a_robot_that_can_run_the_protocol_passes() {
        assert!(check(&health("OT-2 Standard", "8.1.0", Some((2, 20))), None).is_ok());
        assert!(check(&health("OT-2 Standard", "v8.8.2-alpha.1", None), None).is_ok());
        for refused in [
            health("OT-3 Standard", "8.1.0", None),
            health("OT-2 Standard", "7.5.0", None),
            health("OT-2 Standard", "?", None),
            health("OT-2 Standard", "8.1.0", Some((2, 19))),
        ] {
            assert_eq!(check(&refused, None).unwrap_err().class, FailureClass::NeedsPerson, "{refused:?}");
        }
    }

    #[test]
    fn a_robot_goes_by_its_name_or_its_serial_number() {
        let mut robot = health("OT-2 Standard", "8.1.0", None);
        assert!(check(&robot, Some("opentrons")).is_ok() && check(&robot, Some("OT2CEP20")).is_ok());
        let other = check(&robot, Some("OT2CEP21")).unwrap_err();
        assert_eq!(
            (other.class, other.code.as_str()),
            (FailureClass::NeedsPerson, "opentrons.another_robot")
        );
        assert!(other.message.contains("OT2CEP20, not OT2CEP21"), "{other}");
        robot.robot_serial = None;
        assert!(check(&robot, Some("OT2CEP20")).is_err(), "one that does not tell is not believed");
    }
}
