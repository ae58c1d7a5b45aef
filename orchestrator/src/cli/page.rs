//! Lists come in pages: which one is asked for, and how long it is.

use clap::Args;

// What every `list` takes. (No doc comment: clap would say it of the command that takes it.)
#[derive(Clone, Debug, Default, Args)]
pub struct Paging {
    /// Go on where a page ended: what stands below it as `--cursor`
    #[arg(long)]
    pub cursor: Option<String>,
    /// Items on a page, 1 to 1000; 100 when absent
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: Option<u32>,
}

impl Paging {
    /// `route`, asked for this page of what `filters` leave.
    pub fn of(&self, route: &str, filters: &[(&str, Option<&str>)]) -> String {
        let limit = self.limit.map(|limit| limit.to_string());
        let paging = [("cursor", self.cursor.as_deref()), ("limit", limit.as_deref())];
        let given = filters.iter().chain(&paging).filter_map(|(name, value)| Some((*name, (*value)?)));
        asked(route, given)
    }
}

/// `route` with a query string (RFC 3986).
pub fn asked<'a>(route: &str, query: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let query: Vec<String> =
        query.into_iter().map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
    if query.is_empty() { route.to_owned() } else { format!("{route}?{}", query.join("&")) }
}

fn percent_encoded(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_between_edits_survives_a_query_string() {
        assert_eq!(asked("/x", [("perturbation", "CBLB+RASA2")]), "/x?perturbation=CBLB%2BRASA2");
    }

    #[test]
    fn only_what_was_given_is_asked_for() {
        assert_eq!(Paging::default().of("/jobs", &[("state", None)]), "/jobs");
        let second = Paging { cursor: Some("22".into()), limit: Some(5) };
        assert_eq!(second.of("/jobs", &[("state", Some("ready"))]), "/jobs?state=ready&cursor=22&limit=5");
    }
}
