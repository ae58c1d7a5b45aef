//! An identity provider as small as the protocol allows, with keys of its own. It checks what a real one checks (client,
//! code, verifier, redirect), and says whatever a test wants it to.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures::StreamExt;
use reqwest::Url;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

pub const CLIENT: &str = "loopwright";
pub const SECRET: &str = "a secret: of the client's";

/// A key that the provider signs with.
pub enum Key {
    Ec(String, EcdsaKeyPair),
    Rsa(String, Box<aws_lc_rs::rsa::KeyPair>),
}

impl Key {
    pub fn ec(id: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        Key::Ec(id.to_owned(), pair)
    }

    pub fn rsa(id: &str) -> Self {
        let pair = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).expect("a key");
        Key::Rsa(id.to_owned(), Box::new(pair))
    }

    pub fn published(&self) -> Value {
        match self {
            Key::Ec(id, pair) => {
                let point = &pair.public_key().as_ref()[1..];
                json!({"kty": "EC", "crv": "P-256", "kid": id, "use": "sig", "alg": "ES256",
                    "x": base64(&point[..32]), "y": base64(&point[32..])})
            }
            Key::Rsa(id, pair) => {
                let public = pair.public_key();
                json!({"kty": "RSA", "kid": id, "use": "sig",
                    "n": base64(public.modulus().big_endian_without_leading_zero()),
                    "e": base64(public.exponent().big_endian_without_leading_zero())})
            }
        }
    }

    pub fn sign(&self, claims: &Value) -> String {
        let (algorithm, id) = match self {
            Key::Ec(id, _) => ("ES256", id),
            Key::Rsa(id, _) => ("RS256", id),
        };
        self.sign_under(&json!({"alg": algorithm, "kid": id, "typ": "JWT"}), claims)
    }

    pub fn sign_under(&self, header: &Value, claims: &Value) -> String {
        let message = unsigned(header, claims);
        let signature = match self {
            Key::Ec(_, pair) => {
                pair.sign(&SystemRandom::new(), message.as_bytes()).expect("signed").as_ref().to_vec()
            }
            Key::Rsa(_, pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
                    .expect("signed");
                signature
            }
        };
        format!("{message}.{}", base64(&signature))
    }
}

/// Header and claims, as they are signed.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.to_string().as_bytes()))
}

pub fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What goes wrong there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    #[default]
    Well,
    /// Takes requests and never answers.
    Silent,
    /// Answers without end.
    Huge,
    Broken,
    /// Sends elsewhere.
    Redirects,
    Nonsense,
    /// Says that it is another issuer.
    Another,
    /// Wants the code without TLS.
    InTheClear,
}

#[derive(Default)]
struct Says {
    mood: Mood,
    token_mood: Mood,
    published: Vec<Value>,
    /// By code: the challenge it was asked with, where it leads back, what it stands for.
    codes: BTreeMap<String, (String, String, Value)>,
    user: Value,
    methods: Vec<String>,
    keys_asked: usize,
}

#[derive(Clone)]
pub struct FakeProvider {
    pub issuer: String,
    says: Arc<Mutex<Says>>,
}

impl FakeProvider {
    pub async fn start(key: &Key) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let issuer = format!("http://{}/realms/lab", listener.local_addr().expect("an address"));
        let says = Says { published: vec![key.published()], ..Says::default() };
        let it = Self { issuer, says: Arc::new(Mutex::new(says)) };
        let routes = Router::new()
            .route("/realms/lab/.well-known/openid-configuration", get(discovery))
            .route("/realms/lab/keys", get(keys))
            .route("/realms/lab/token", post(token))
            .route("/realms/lab/user", get(user))
            .with_state(it.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        it
    }

    pub fn mood(&self, mood: Mood) {
        self.says().mood = mood;
    }

    pub fn token_mood(&self, mood: Mood) {
        self.says().token_mood = mood;
    }

    pub fn publish(&self, keys: &[&Key]) {
        self.says().published = keys.iter().map(|key| key.published()).collect();
    }

    pub fn publish_raw(&self, keys: Vec<Value>) {
        self.says().published = keys;
    }

    pub fn user(&self, user: Value) {
        self.says().user = user;
    }

    pub fn takes_the_secret_by(&self, method: &str) {
        self.says().methods = vec![method.to_owned()];
    }

    pub fn keys_asked(&self) -> usize {
        self.says().keys_asked
    }

    /// What a right token says, for whoever was sent here by `location`.
    pub fn claims(&self, location: &str, subject: &str, email: &str) -> Value {
        let now = chrono::Utc::now().timestamp();
        json!({"iss": self.issuer, "sub": subject, "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": asked(location, "nonce"), "email": email, "email_verified": true, "name": "Ada Lovelace"})
    }

    /// Somebody signs in: the path that the browser is sent back to.
    pub fn signs_in(&self, location: &str, id_token: &str) -> String {
        let code = format!("code-{}", uuid::Uuid::now_v7());
        let back = asked(location, "redirect_uri");
        let answer = json!({"id_token": id_token, "access_token": "an access token", "token_type": "Bearer"});
        self.says().codes.insert(code.clone(), (asked(location, "code_challenge"), back.clone(), answer));
        let path = Url::parse(&back).expect("a URL").path().to_owned();
        format!("{path}?code={code}&state={}&session_state=x", asked(location, "state"))
    }

    fn says(&self) -> std::sync::MutexGuard<'_, Says> {
        self.says.lock().expect("nobody panicked")
    }
}

/// One of the parameters that the browser was sent with.
pub fn asked(location: &str, name: &str) -> String {
    let url = Url::parse(location).expect("a URL");
    let found = url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
    found.unwrap_or_else(|| panic!("{name} is missing in {location}"))
}

async fn in_mood(mood: Mood) -> Option<Response> {
    match mood {
        Mood::Well | Mood::Another | Mood::InTheClear => None,
        Mood::Silent => std::future::pending().await,
        Mood::Huge => {
            let endless =
                futures::stream::repeat(Ok::<_, std::convert::Infallible>(Bytes::from(vec![b' '; 64 << 10])));
            Some(Body::from_stream(endless.take(1 << 10)).into_response())
        }
        Mood::Broken => Some(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        Mood::Redirects => {
            Some((StatusCode::FOUND, [(header::LOCATION, "https://elsewhere.example.org")]).into_response())
        }
        Mood::Nonsense => Some("<html>".into_response()),
    }
}

async fn discovery(State(it): State<FakeProvider>) -> Response {
    let mood = it.says().mood;
    if let Some(answer) = in_mood(mood).await {
        return answer;
    }
    let own = &it.issuer;
    let issuer = if mood == Mood::Another { "https://elsewhere.example.org" } else { own.as_str() };
    let token = match mood {
        Mood::InTheClear => "http://id.example.org/token".to_owned(),
        _ => format!("{own}/token"),
    };
    let methods = it.says().methods.clone();
    Json(json!({"issuer": issuer, "authorization_endpoint": format!("{own}/authorize?prompt=login"),
        "token_endpoint": token, "jwks_uri": format!("{own}/keys"), "userinfo_endpoint": format!("{own}/user"),
        "token_endpoint_auth_methods_supported": methods}))
    .into_response()
}

async fn keys(State(it): State<FakeProvider>) -> Json<Value> {
    let mut says = it.says();
    says.keys_asked += 1;
    Json(json!({"keys": says.published}))
}

async fn user(State(it): State<FakeProvider>, headers: HeaderMap) -> Response {
    if headers.get(header::AUTHORIZATION).is_none_or(|it| it != "Bearer an access token") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(it.says().user.clone()).into_response()
}

async fn token(State(it): State<FakeProvider>, headers: HeaderMap, body: String) -> Response {
    let mood = it.says().token_mood;
    if let Some(answer) = in_mood(mood).await {
        return answer;
    }
    let form: BTreeMap<String, String> =
        Url::parse(&format!("form:?{body}")).expect("a form").query_pairs().into_owned().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let refuse = |error: &str| {
        let body = json!({"error": error, "error_description": format!("not this: {body}")});
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    };
    let by_header =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).is_some_and(|value| {
            let pair = STANDARD.decode(value.trim_start_matches("Basic ")).expect("base64");
            pair == format!("{CLIENT}:a+secret%3A+of+the+client%27s").as_bytes()
        });
    let in_body = field("client_id") == CLIENT && field("client_secret") == SECRET;
    let wants_body = it.says().methods == ["client_secret_post"];
    if (wants_body && !in_body) || (!wants_body && !by_header) {
        return refuse("invalid_client");
    }
    // Once.
    let Some((challenge, back, answer)) = it.says().codes.remove(field("code")) else {
        return refuse("invalid_grant");
    };
    let fits = base64(&Sha256::digest(field("code_verifier"))) == challenge
        && field("redirect_uri") == back
        && field("grant_type") == "authorization_code";
    if fits { Json(answer).into_response() } else { refuse("invalid_grant") }
}
