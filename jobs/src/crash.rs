//! Places where a test stops a process to kill something at exactly that moment.
//!
//! Each program names its steps with [`steps!`](crate::steps) and passes through a [`point`] before, during
//! and after each. Nothing happens there, unless `LOOPWRIGHT_CRASH_POINTS` names a folder and
//! `<process>.<step>.<moment>.armed` lies in it: one process turns it into `.reached`, writes its process id
//! there, and waits until the file is gone (or a minute has passed). Whoever armed it kills what it likes.
//!
//! ```text
//! armed -(the first to get there)-> reached -(killed, or sent on)-> gone
//! ```
//!
//! Release builds have no such places: [`point`] is empty.

use serde::{Deserialize, Serialize};
#[cfg(debug_assertions)]
use std::path::PathBuf;
use std::sync::OnceLock;
#[cfg(debug_assertions)]
use std::time::Duration;

/// Where in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Nothing of it is done.
    Before,
    /// Something is done, and nobody may know: e.g. written and not committed, asked and not answered.
    During,
    /// All of it is done, and whoever waits for it has not heard.
    After,
}

impl Moment {
    pub const ALL: [Self; 3] = [Self::Before, Self::During, Self::After];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::During => "during",
            Self::After => "after",
        }
    }
}

/// A step as it is listed: its name, and the moments it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    pub step: &'static str,
    pub moments: &'static [Moment],
}

/// A step of a program.
pub trait Step: Copy + Send + Sync + 'static {
    fn listed(self) -> Listed;
}

/// Names the steps of a workflow: an enum whose every variant is in its `LISTED`.
#[macro_export]
macro_rules! steps {
    ($(#[$meta:meta])* $visibility:vis enum $Name:ident {
        $($(#[$doc:meta])* $Variant:ident = $step:literal [$($Moment:ident),+],)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visibility enum $Name {
            $($(#[$doc])* $Variant,)+
        }

        impl $Name {
            /// Every one of them.
            pub const LISTED: &'static [$crate::crash::Listed] = &[
                $($crate::crash::Listed { step: $step, moments: &[$($crate::crash::Moment::$Moment),+] },)+
            ];
        }

        impl $crate::crash::Step for $Name {
            fn listed(self) -> $crate::crash::Listed {
                match self {
                    $(Self::$Variant => $crate::crash::Listed {
                        step: $step,
                        moments: &[$($crate::crash::Moment::$Moment),+],
                    },)+
                }
            }
        }
    };
}

/// The variable that names the folder.
pub const FOLDER: &str = "LOOPWRIGHT_CRASH_POINTS";
/// A process that nobody comes for goes on.
#[cfg(debug_assertions)]
const LONGEST_STOP: Duration = Duration::from_secs(60);
#[cfg(debug_assertions)]
const LOOK: Duration = Duration::from_millis(3);

static PROCESS: OnceLock<String> = OnceLock::new();

/// This process's name in the names of points. The first one said stands.
pub fn this_process_is(name: &str) {
    let _ = PROCESS.set(name.to_owned());
}

/// Passes through a place of `step`; waits there when somebody has armed it.
pub async fn point(step: impl Step, moment: Moment) {
    #[cfg(debug_assertions)]
    if let Some(reached) = meet(step.listed().step, moment) {
        let end = tokio::time::Instant::now() + LONGEST_STOP;
        while reached.exists() && tokio::time::Instant::now() < end {
            tokio::time::sleep(LOOK).await;
        }
    }
    #[cfg(not(debug_assertions))]
    let _ = (step, moment);
}

/// The same on a thread that may block.
pub fn blocking_point(step: impl Step, moment: Moment) {
    #[cfg(debug_assertions)]
    if let Some(reached) = meet(step.listed().step, moment) {
        let end = std::time::Instant::now() + LONGEST_STOP;
        while reached.exists() && std::time::Instant::now() < end {
            std::thread::sleep(LOOK);
        }
    }
    #[cfg(not(debug_assertions))]
    let _ = (step, moment);
}

/// The file that says that this process stands there, if somebody asked for it.
#[cfg(debug_assertions)]
fn meet(step: &str, moment: Moment) -> Option<PathBuf> {
    static ARMED: OnceLock<Option<PathBuf>> = OnceLock::new();
    let folder = ARMED.get_or_init(|| std::env::var_os(FOLDER).map(PathBuf::from)).as_ref()?;
    let name = format!("{}.{step}.{}", PROCESS.get().map_or("unnamed", String::as_str), moment.as_str());
    let reached = folder.join(format!("{name}.reached"));
    // One process alone can take it.
    std::fs::rename(folder.join(format!("{name}.armed")), &reached).ok()?;
    std::fs::write(&reached, std::process::id().to_string()).ok()?;
    Some(reached)
}

/// Every point of one process as JSON, for whoever walks through them: `[{"step", "moments"}]`.
pub fn list(workflows: &[&[Listed]]) -> String {
    let all: Vec<&Listed> = workflows.iter().flat_map(|listed| listed.iter()).collect();
    serde_json::to_string(&all).expect("names and moments are JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::steps! {
        enum Errand {
            /// Out of the house.
            Leave = "errand.leave" [Before, After],
            Return = "errand.return" [Before, During, After],
        }
    }

    #[test]
    fn a_step_is_listed_by_being_named() {
        assert_eq!(Errand::LISTED, [Errand::Leave.listed(), Errand::Return.listed()]);
        assert_eq!(
            list(&[Errand::LISTED]),
            r#"[{"step":"errand.leave","moments":["before","after"]},{"step":"errand.return","moments":["before","during","after"]}]"#
        );
    }

    /// The folder is read once in a process, so one test holds the whole story.
    #[tokio::test]
    async fn nobody_waits_where_nothing_is_armed() {
        tokio::time::timeout(Duration::from_secs(5), point(Errand::Leave, Moment::Before)).await.unwrap();
        blocking_point(Errand::Leave, Moment::After);
    }
}
