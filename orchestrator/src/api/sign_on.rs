//! Signing on by the laboratory's identity provider: there, and back again.
//!
//! The browser comes back by a link, so whatever becomes of it is a page: where it wanted to go, or the sign-in page with
//! the code of the refusal. Neither address holds anything that the provider sent.

use super::access::{Access, Routes};
use super::client_address::ClientAddress;
use super::cookie;
use super::extract::{Json, Query};
use super::problem::Problem;
use super::session::origin;
use super::state::AppState;
use crate::people::sign_on::Refused;
use crate::people::sign_on::arrive::SignedOn;
use crate::people::sign_on::come_back::{Answer, Ended, come_back};
use crate::people::sign_on::fetch::Failed;
use crate::people::sign_on::round_trip::{HOME, RoundTrip, return_to};
use crate::store::people::pending::{self, Begun};
use crate::store::people::sessions;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route(Access::Public, routes!(offer))
        .route(Access::Public, routes!(begin))
        .route(Access::Public, routes!(callback))
}

/// Whether people can sign on by an identity provider here.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct SignOnOffer {
    /// What the button says. Absent: they cannot.
    label: Option<String>,
}

/// What the sign-in page offers beside a name and a password.
#[utoipa::path(get, path = "/session/sign-on", tag = "session", responses((status = 200, body = SignOnOffer)))]
async fn offer(State(state): State<AppState>) -> Json<SignOnOffer> {
    let label = state.config.sign_on.as_ref().map(|provider| provider.settings().label.clone());
    Json(SignOnOffer { label })
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignOnWish {
    /// The path of this app to go to afterwards; anything else is its first page.
    #[serde(default)]
    from: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct WayThere {
    /// The provider's page for signing in: go there.
    location: String,
}

/// Begins to sign on by the provider: sets a cookie with which this browser must come back within ten minutes, and says
/// where to go.
#[utoipa::path(post, path = "/session/sign-on", tag = "session", request_body = SignOnWish,
    responses((status = 200, body = WayThere),
        (status = 404, body = Problem, description = "`sign_on.not_configured`"),
        (status = 429, body = Problem, description = "`sign_on.too_many`"),
        (status = 503, body = Problem, description = "`sign_on.provider_unreachable`, `sign_on.provider_answer`")))]
async fn begin(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    Json(wish): Json<SignOnWish>,
) -> Result<Response, Problem> {
    let provider = state.config.sign_on.as_ref().ok_or_else(|| {
        let detail = "Nobody signs on by an identity provider here: sign in with a name and a password.";
        Problem::new(StatusCode::NOT_FOUND, NOT_CONFIGURED, detail)
    })?;
    let way = provider.way().await.map_err(not_now)?;
    let mut conn = state.pool.acquire().await?;
    let Begun::Kept { secret } = pending::begin(&mut conn, return_to(wish.from.as_deref()), &address).await?
    else {
        let detail = "Too many browsers at this address have begun to sign on and did not come back. Try again in some \
                      minutes.";
        return Err(Problem::retry_after(StatusCode::TOO_MANY_REQUESTS, "sign_on.too_many", detail, 60));
    };
    let cookie = cookie::set_round_trip(&secret, pending::LONGEST, state.config.behind_proxy);
    let body = Json(WayThere { location: way.of(&RoundTrip(&secret)) });
    let headers =
        [(header::SET_COOKIE, cookie), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((headers, body).into_response())
}

/// What the provider sends the browser back with. More may stand beside it.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SentBack {
    /// To be exchanged once, by us alone.
    code: Option<String>,
    state: Option<String>,
    /// Instead of a code.
    error: Option<String>,
    /// RFC 9207.
    iss: Option<String>,
}

/// Comes back from the provider: sets the session's cookie and goes where one wanted to go, or to the sign-in page, which
/// says why not.
#[utoipa::path(get, path = "/session/sign-on/callback", tag = "session", params(SentBack),
    responses((status = 303, description = "to a path of the app; to `/sign-in?refused=CODE` when nobody is signed in")))]
async fn callback(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    sent_back: Result<Query<SentBack>, Problem>,
) -> Response {
    let Query(SentBack { code, state: said, error, iss }) = sent_back.unwrap_or(Query(SentBack::default()));
    let answer = Answer {
        code: code.as_deref(),
        state: said.as_deref(),
        error: error.as_deref(),
        issuer: iss.as_deref(),
    };
    let secure = state.config.behind_proxy;
    let refuse = |code: &str, from: Option<&str>| go(&sign_in_page(code, from), None, secure);
    let Some(provider) = &state.config.sign_on else { return refuse(NOT_CONFIGURED, None) };
    let secret = cookie::round_trip(&headers);
    match come_back(&state.pool, provider, secret, answer, &origin(address, &headers)).await {
        Ok(Ended::SignedOn { signed_on: SignedOn { actor, secret }, to }) => {
            tracing::info!(%actor, "signed on by the provider");
            go(&to, Some(&secret), secure)
        }
        Ok(Ended::Refused { refused, to }) => refuse(refused.code(), to.as_deref()),
        Ok(Ended::Throttled) => refuse("session.throttled", None),
        Err(error) => refuse(&Problem::from(error).code, None),
    }
}

const NOT_CONFIGURED: &str = "sign_on.not_configured";

/// The round trip is over. `session`: of whoever is signed in now.
fn go(to: &str, session: Option<&str>, secure: bool) -> Response {
    let session = session.map(|secret| (header::SET_COOKIE, cookie::set(secret, sessions::LONGEST, secure)));
    // The address that the browser leaves holds a code.
    let headers = [
        (header::SET_COOKIE, cookie::clear_round_trip(secure)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::LOCATION, HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static(HOME))),
    ];
    (StatusCode::SEE_OTHER, AppendHeaders(session.into_iter().chain(headers).collect::<Vec<_>>()))
        .into_response()
}

/// The app's own page, with the code of what it should say.
fn sign_in_page(code: &str, from: Option<&str>) -> String {
    let mut url = Url::parse("app:/sign-in").expect("a URL");
    url.query_pairs_mut().append_pair("refused", code).extend_pairs(from.map(|from| ("from", from)));
    format!("/sign-in?{}", url.query().unwrap_or_default())
}

/// The provider's fault: a name and a password still open the door.
fn not_now(failed: Failed) -> Problem {
    let refused = Refused::from(failed);
    tracing::warn!(code = refused.code(), why = refused.why(), "nobody can sign on by the provider");
    let detail = match refused {
        Refused::ProviderUnreachable(_) => {
            "The identity provider does not answer. Try again in a moment; whoever has a password here can sign in with it."
        }
        _ => {
            "The identity provider answers what it should not, or is configured wrongly: tell an administrator. \
             `loopwright doctor` says more; whoever has a password here can sign in with it."
        }
    };
    Problem::retry_after(StatusCode::SERVICE_UNAVAILABLE, refused.code(), detail, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_in_page_is_told_the_code_and_where_one_wanted_to_go() {
        assert_eq!(sign_in_page("sign_on.no_account", None), "/sign-in?refused=sign_on.no_account");
        assert_eq!(
            sign_in_page("sign_on.no_account", Some("/plates?state=passed&a=b")),
            "/sign-in?refused=sign_on.no_account&from=%2Fplates%3Fstate%3Dpassed%26a%3Db"
        );
    }
}
