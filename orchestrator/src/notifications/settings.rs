//! How patient notifications are, and where their links lead.

use std::time::Duration;

/// Cheap to clone. Every duration is real time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where people open the app (`https://loopwright.example.org`), for links; without it, links are paths.
    pub public_url: Option<String>,
    /// What closes itself within this is told to nobody outside: a batch that the policy approves, a job
    /// whose late report settles the doubt.
    pub grace: Duration,
    /// Not acknowledged for so long: the next escalation.
    pub escalate_after: Duration,
    /// Escalations at most.
    pub escalations: u32,
    /// The agent of an instrument in service that is silent for so long is lost.
    pub agent_lost_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: None,
            grace: Duration::from_secs(10),
            escalate_after: Duration::from_secs(30 * 60),
            escalations: 3,
            agent_lost_after: Duration::from_secs(3 * 60),
        }
    }
}

impl Settings {
    /// The page about a subject: absolute where we know our own address.
    pub fn link(&self, subject: &str, subject_id: &str) -> String {
        let page = match subject {
            "batch" => format!("/batches/{subject_id}"),
            "round" => format!("/rounds/{subject_id}"),
            "plate" => format!("/plates/{subject_id}"),
            "job" => format!("/jobs/{subject_id}"),
            "campaign" => format!("/campaigns/{subject_id}"),
            "instrument" => format!("/instruments/{subject_id}"),
            _ => "/".to_owned(),
        };
        let base = self.public_url.as_deref().unwrap_or_default();
        format!("{}{page}", base.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_page_of_the_subject() {
        let public_url = Some("https://lab.example.org/".to_owned());
        let settings = Settings { public_url, ..Settings::default() };
        assert_eq!(settings.link("batch", "b1"), "https://lab.example.org/batches/b1");
        assert_eq!(settings.link("channel", "c1"), "https://lab.example.org/");
        assert_eq!(Settings::default().link("job", "j1"), "/jobs/j1");
    }
}
