//! The web app, out of the binary: built files by name, and its one page for every other address.
//!
//! The server builds without Node; without a built app it says how to get one. (A development build reads
//! `web/dist` from disk, so that the app can be rebuilt without the server.)

use super::problem::Problem;
use super::state::AppState;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../web/dist"]
#[allow_missing = true]
struct Files;

const PAGE: &str = "index.html";
/// Where the build puts files whose names carry a hash of their content.
const HASHED: &str = "assets/";
/// Only our own scripts run, and nobody frames us. (Styles in elements are what component libraries write.)
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Loopwright</title>\
<body style=\"font:16px/1.5 system-ui;max-width:36rem;margin:4rem auto;padding:0 1rem\">\
<h1>Loopwright is running</h1><p>This server was built without its web app. <code>make web</code> builds the app, \
<code>make run</code> and <code>make build</code> do so by themselves.</p>\
<p>The API is described at <a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>; the command line does \
everything the app does.</p></body></html>";

/// Whatever is not the API's.
pub(super) async fn serve(State(state): State<AppState>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let detail = format!("There is no route {} {}.", request.method(), request.uri().path());
        return Problem::new(StatusCode::NOT_FOUND, "route.unknown", detail).into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    let mut response = match (Files::get(path), Files::get(PAGE)) {
        (Some(file), _) if !path.is_empty() => found(path, file, request.headers()),
        // A file that is not there is not a page: a browser must not take the page for a script.
        _ if path.rsplit('/').next().is_some_and(|name| name.contains('.')) => {
            Problem::not_found("file", path).into_response()
        }
        (_, Some(page)) => found(PAGE, page, request.headers()),
        (_, None) => {
            let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            (StatusCode::OK, html, NOT_BUILT).into_response()
        }
    };
    protect(response.headers_mut(), state.config.behind_proxy);
    response
}

fn found(path: &str, file: EmbeddedFile, asked: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", hex::encode(file.metadata.sha256_hash()));
    let caching = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [(header::ETAG, etag.clone()), (header::CACHE_CONTROL, caching.to_owned())];
    if asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let kind = if kind.type_() == "text" { format!("{kind}; charset=utf-8") } else { kind.to_string() };
    (headers, [(header::CONTENT_TYPE, kind)], file.data.into_owned()).into_response()
}

fn protect(headers: &mut HeaderMap, is_tls: bool) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    set(header::X_FRAME_OPTIONS, "DENY");
    if is_tls {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}
