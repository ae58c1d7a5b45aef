//! Where a request comes from, as far as that can be known.

use super::state::AppState;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use std::convert::Infallible;
use std::net::SocketAddr;

/// The peer's IP address or, behind a proxy, what the proxy says of it; empty when neither is known.
pub struct ClientAddress(pub String);

impl ClientAddress {
    pub fn of(state: &AppState, headers: &HeaderMap, extensions: &Extensions) -> Self {
        if state.config.behind_proxy {
            // The last entry is the one our own proxy added; those before it anybody can send.
            let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
            let last =
                forwarded.and_then(|value| value.to_str().ok()).and_then(|value| value.rsplit(',').next());
            if let Some(address) = last {
                return Self(address.trim().to_owned());
            }
        }
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        Self(peer.map_or_else(String::new, |ConnectInfo(peer)| peer.ip().to_string()))
    }
}

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self::of(state, &parts.headers, &parts.extensions))
    }
}
