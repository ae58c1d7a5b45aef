//! Posting to a webhook: addresses guarded at the moment of connecting, no redirects, everything timed out,
//! and of the answer only its status.

use super::address::{Refused, Rules};
use super::send::{Failure, Sent};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, StatusCode, redirect};
use std::net::SocketAddr;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(15);

/// Posts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Post {
    rules: Rules,
    /// The rules differ by scheme, and the resolver is not told which it is for.
    secure: Client,
    clear: Client,
}

impl Post {
    pub fn new(rules: Rules) -> reqwest::Result<Self> {
        Ok(Self { rules, secure: client(rules, true)?, clear: client(rules, false)? })
    }

    /// Posts `body`; 2xx is delivered.
    pub async fn post(&self, url: &str, headers: HeaderMap, body: Vec<u8>) -> Result<Sent, Failure> {
        let url = self.rules.url(url).map_err(refused)?;
        let client = if url.scheme() == "https" { &self.secure } else { &self.clear };
        let response = client.post(url).headers(headers).body(body).send().await.map_err(failed)?;
        judge(response.status(), response.headers())
    }
}

fn client(rules: Rules, secure: bool) -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(concat!("loopwright/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(Guarded { rules, secure })
        // A proxy would connect in our stead, past the rules.
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .pool_max_idle_per_host(1)
        .build()
}

/// The system's resolver, without the addresses we do not connect to.
#[derive(Clone, Copy, Debug)]
struct Guarded {
    rules: Rules,
    secure: bool,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let Guarded { rules, secure } = *self;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let mut why = None;
            let mut allowed = Vec::new();
            for address in found {
                match rules.ip(address.ip(), secure) {
                    Ok(()) => allowed.push(address),
                    Err(refused) => why = Some(refused),
                }
            }
            match why {
                Some(refused) if allowed.is_empty() => Err(refused.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

fn judge(status: StatusCode, headers: &HeaderMap) -> Result<Sent, Failure> {
    let code = Some(status.as_u16());
    if status.is_success() {
        return Ok(Sent { status: code });
    }
    let (for_good, detail) = match status {
        _ if status.is_redirection() => (
            true,
            format!("the receiver answered {status}: redirects are not followed, give the final address"),
        ),
        StatusCode::GONE => (true, "the receiver answered 410: it wants nothing any more".to_owned()),
        _ => (false, format!("the receiver answered {status}")),
    };
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Err(Failure { for_good, status: code, detail, asked: seconds.map(Duration::from_secs) })
}

fn refused(refused: Refused) -> Failure {
    Failure::for_good(format!("the channel's address is refused: {refused}"))
}

/// What went wrong, without the address: it may be a secret.
fn failed(error: reqwest::Error) -> Failure {
    let chain =
        || std::iter::successors(Some(&error as &(dyn std::error::Error + 'static)), |error| error.source());
    if let Some(rule) = chain().find_map(|error| error.downcast_ref::<Refused>()) {
        return refused(*rule);
    }
    let what = if error.is_timeout() {
        format!("no answer within {} s", TIMEOUT.as_secs())
    } else if error.is_connect() {
        let cause = chain().last().map(ToString::to_string).unwrap_or_default();
        format!("cannot connect: {cause}")
    } else {
        "the connection broke before an answer".to_owned()
    };
    Failure::for_now(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, retry_after: Option<&str>) -> Result<Sent, Failure> {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(RETRY_AFTER, value.parse().expect("a header"));
        }
        judge(StatusCode::from_u16(status).expect("a status"), &headers)
    }

    #[test]
    fn only_two_hundreds_deliver_and_only_hopeless_answers_end() {
        for status in [200, 202, 204] {
            assert_eq!(judged(status, None), Ok(Sent { status: Some(status) }));
        }
        for (status, for_good) in [
            (301, true),
            (308, true),
            (410, true),
            (400, false),
            (404, false),
            (429, false),
            (500, false),
            (503, false),
        ] {
            let failure = judged(status, None).expect_err("no success");
            assert_eq!((failure.status, failure.for_good), (Some(status), for_good));
        }
        assert_eq!(judged(503, Some("120")).expect_err("busy").asked, Some(Duration::from_secs(120)));
        assert_eq!(judged(503, Some("soon")).expect_err("busy").asked, None);
    }

    #[tokio::test]
    async fn a_name_that_leads_nowhere_allowed_is_refused_for_good() {
        // The rules for public addresses do not matter here: the name's own address is what is judged.
        let guarded = Guarded { rules: Rules::default(), secure: false };
        let addresses = guarded.resolve("localhost".parse().expect("a name")).await.map(Iterator::count);
        assert!(addresses.is_ok_and(|count| count > 0), "loopback is near");
        let post = Post::new(Rules::default()).expect("a client");
        let failure = post
            .post("http://169.254.169.254/latest", HeaderMap::new(), Vec::new())
            .await
            .expect_err("refused");
        assert!(failure.for_good && failure.detail.contains("metadata"), "{failure:?}");
    }
}
