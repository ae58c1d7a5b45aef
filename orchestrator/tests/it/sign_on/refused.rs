//! Everything that signs nobody on.

use super::provider::{Key, Mood, asked, unsigned};
use super::*;
use crate::sign_on::provider::base64;
use aws_lc_rs::hmac;

const TOKEN: &str = "sign_on.token_invalid";

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_token_that_does_not_prove_this_sign_in_opens_nothing(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let house = House::new(options, login).await;
    house.prepared("ada", ADA, &[everywhere(Role::Admin)]).await;
    let now = chrono::Utc::now().timestamp();
    let cases = [
        (json!({"nonce": "of another sign-in"}), "the token was made for another sign-in"),
        (json!({"nonce": null}), "the token was made for another sign-in"),
        (json!({"exp": now - 120}), "the token has expired (or the clocks differ)"),
        (json!({"exp": null}), "the token is malformed"),
        (json!({"nbf": now + 3600}), "the token is not valid yet (or the clocks differ)"),
        (json!({"aud": "another client"}), "the token is for another client"),
        (json!({"aud": ["another client"]}), "the token is for another client"),
        (json!({"aud": null}), "the token is malformed"),
        (json!({"aud": [CLIENT, "another client"]}), "the token is for another client"),
        (
            json!({"aud": [CLIENT, "another client"], "azp": "another client"}),
            "the token is for another client",
        ),
        (json!({"azp": "another client"}), "the token is for another client"),
        (json!({"iss": "https://elsewhere.example.org"}), "the token is another issuer's"),
        (json!({"iss": [house.provider.issuer, "x"]}), "the token is malformed"),
        (json!({"sub": ""}), "the token is malformed"),
        (json!({"sub": null}), "the token is malformed"),
        (json!({"sub": "s".repeat(256)}), "the token is malformed"),
        (json!({"iat": null}), "the token is malformed"),
    ];
    for (changes, why) in cases {
        let back = house
            .sign_on_saying(|house, sent| {
                let mut claims = house.provider.claims(&sent.location, "subject-1", ADA);
                for (name, value) in changes.as_object().expect("an object") {
                    claims[name] = value.clone();
                    if value.is_null() {
                        claims.as_object_mut().expect("an object").remove(name);
                    }
                }
                claims
            })
            .await;
        back.refused(TOKEN);
        let refusal = house.refusal().await;
        assert_eq!(refusal, json!({"because": "token_invalid", "by": "provider", "why": why}), "{changes}");
    }
    let both = house
        .sign_on_saying(|house, sent| {
            let mut claims = house.provider.claims(&sent.location, "subject-1", ADA);
            claims["aud"] = json!([CLIENT, "another client"]);
            claims["azp"] = json!(CLIENT);
            claims
        })
        .await;
    both.is_in();
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_signature_that_is_not_the_providers_opens_nothing(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let house = House::new(options, login).await;
    house.prepared("ada", ADA, &[everywhere(Role::Admin)]).await;
    let forger = Key::ec("one");
    let hs256 = |secret: &[u8], claims: &Value| {
        let message = unsigned(&json!({"alg": "HS256", "kid": "one"}), claims);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        format!("{message}.{}", base64(tag.as_ref()))
    };
    let public = house.key.published();
    type Forge<'a> = Box<dyn Fn(&Value) -> String + 'a>;
    let cases: [(&str, Forge<'_>, &str); 9] = [
        (
            "no signature",
            Box::new(|claims| format!("{}.", unsigned(&json!({"alg": "none"}), claims))),
            "the token's algorithm is not allowed",
        ),
        (
            "the client's secret",
            Box::new(|claims| hs256(SECRET.as_bytes(), claims)),
            "the token's algorithm is not allowed",
        ),
        (
            "the public key as a secret",
            Box::new(|claims| hs256(public["x"].as_str().expect("text").as_bytes(), claims)),
            "the token's algorithm is not allowed",
        ),
        (
            "another key under the same name",
            Box::new(|claims| forger.sign(claims)),
            "the token's signature is wrong",
        ),
        (
            "claims changed afterwards",
            Box::new(|claims| {
                let honest = house.key.sign(&json!({"sub": "nobody"}));
                let header = honest.split('.').next().expect("a header");
                let signature = honest.rsplit('.').next().expect("a signature");
                format!("{header}.{}.{signature}", base64(claims.to_string().as_bytes()))
            }),
            "the token's signature is wrong",
        ),
        (
            "a key nobody publishes",
            Box::new(|claims| Key::ec("two").sign(claims)),
            "the token is signed with a key that the provider does not publish",
        ),
        (
            "an algorithm of another kind",
            Box::new(|claims| house.key.sign_under(&json!({"alg": "RS256", "kid": "one"}), claims)),
            "the token is signed with a key that the provider does not publish",
        ),
        (
            "an extension",
            Box::new(|claims| {
                house.key.sign_under(&json!({"alg": "ES256", "kid": "one", "crit": ["x"], "x": 1}), claims)
            }),
            "the token is malformed",
        ),
        ("nonsense", Box::new(|_| "nonsense".to_owned()), "the token is malformed"),
    ];
    for (what, forge, why) in cases {
        let sent = house.begin().await;
        let token = forge(&house.provider.claims(&sent.location, "subject-1", ADA));
        let path = house.provider.signs_in(&sent.location, &token);
        house.back(&path, Some(&sent.cookie)).await.refused(TOKEN);
        assert_eq!(house.refusal().await["why"], *why, "{what}");
    }
    house.provider.publish_raw(vec![json!({"kty": "oct", "kid": "one", "k": base64(SECRET.as_bytes())})]);
    let mut state = house.app.state.clone();
    state.config = std::sync::Arc::new(config(settings(&house.provider.issuer), hasty()));
    let asking_anew = House { app: App::over(state), ..house };
    asking_anew.sign_on("subject-1", ADA).await.refused(TOKEN);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_browser_comes_back_once_in_time_and_from_where_it_went(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let house = House::new(options, login).await;
    house.prepared("ada", ADA, &[]).await;
    let way = |sent: &Sent| {
        let token = house.key.sign(&house.provider.claims(&sent.location, "subject-1", ADA));
        house.provider.signs_in(&sent.location, &token)
    };
    let nowhere = |back: &Back, code: &str| {
        assert_eq!(back.location, format!("/sign-in?refused={code}"));
        back.is_out();
    };
    let (sent, other) = (house.begin().await, house.begin().await);
    let path = way(&sent);
    nowhere(&house.back(&path, None).await, "sign_on.not_expected");
    nowhere(&house.back(&path, Some(&other.cookie)).await, "sign_on.state_differs");
    nowhere(&house.back(&path, Some("loopwright_sign_on=lwo_made-up")).await, "sign_on.state_differs");
    let wrong = path.replace(&asked(&sent.location, "state"), "another");
    nowhere(&house.back(&wrong, Some(&sent.cookie)).await, "sign_on.state_differs");
    nowhere(&house.back(CALLBACK, Some(&sent.cookie)).await, "sign_on.state_differs");
    // None of this has used it up.
    house.back(&path, Some(&sent.cookie)).await.is_in();
    nowhere(&house.back(&path, Some(&sent.cookie)).await, "sign_on.not_expected");

    let late = way(&other);
    sqlx::query("update sign_on_pending set begun_at = now() - interval '11 minutes'")
        .execute(&house.app.state.pool)
        .await
        .expect_err("the application cannot change one");
    let mut conn = house.app.state.pool.acquire().await.expect("a connection");
    sqlx::raw_sql("set role none; update sign_on_pending set begun_at = now() - interval '11 minutes'; set role loopwright_app")
        .execute(&mut *conn)
        .await
        .expect("time passes");
    nowhere(&house.back(&late, Some(&other.cookie)).await, "sign_on.not_expected");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_the_provider_says_instead_of_a_code_is_told_in_its_word_alone(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let house = House::new(options, login).await;
    for (said, why) in [
        ("error=access_denied&error_description=no%20lunch", "access_denied"),
        ("error=%3Cscript%3E", "no code"),
        ("", "no code"),
    ] {
        let sent = house.begin().await;
        let path = format!("{CALLBACK}?state={}&{said}", asked(&sent.location, "state"));
        house.back(&path, Some(&sent.cookie)).await.refused("sign_on.provider_refused");
        assert_eq!(house.refusal().await["why"], why);
    }
    let sent = house.begin().await;
    let token = house.key.sign(&house.provider.claims(&sent.location, "subject-1", ADA));
    let path = house.provider.signs_in(&sent.location, &token) + "&iss=https%3A%2F%2Felsewhere.example.org";
    house.back(&path, Some(&sent.cookie)).await.refused(TOKEN);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_new_key_is_looked_for_and_not_at_every_knock(options: PgPoolOptions, login: PgConnectOptions) {
    let patience = Patience { between_keys: Duration::from_secs(60), ..hasty() };
    let mut house = House::with(options, login, patience, |settings| settings).await;
    house.prepared("ada", ADA, &[]).await;
    house.sign_on("subject-1", ADA).await.is_in();
    assert_eq!(house.provider.keys_asked(), 1);
    house.sign_on("subject-1", ADA).await.is_in();
    assert_eq!(house.provider.keys_asked(), 1, "kept");
    house.key = Key::ec("two");
    house.provider.publish(&[&house.key]);
    house.sign_on("subject-1", ADA).await.refused(TOKEN);
    assert_eq!(house.provider.keys_asked(), 1, "they are fresh: whoever invents keys makes nobody ask");

    let mut state = house.app.state.clone();
    state.config = std::sync::Arc::new(config(settings(&house.provider.issuer), hasty()));
    house.app = App::over(state);
    house.sign_on("subject-1", ADA).await.is_in();
    let asked = house.provider.keys_asked();
    house.key = Key::ec("three");
    house.provider.publish(&[&house.key]);
    house.sign_on("subject-1", ADA).await.is_in();
    assert_eq!(house.provider.keys_asked(), asked + 1, "a minute later it is looked for");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_provider_that_is_down_keeps_nobody_waiting_and_passwords_go_on(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut house = House::new(options, login).await;
    house.with_password("root", None, &[everywhere(Role::Admin)]).await;
    house.prepared("ada", ADA, &[]).await;
    let fresh = |house: &House, issuer: &str| {
        let mut state = house.app.state.clone();
        state.config = std::sync::Arc::new(config(settings(issuer), hasty()));
        App::over(state)
    };
    for (mood, code) in [
        (Mood::Silent, "sign_on.provider_unreachable"),
        (Mood::Broken, "sign_on.provider_unreachable"),
        (Mood::Huge, "sign_on.provider_answer"),
        (Mood::Redirects, "sign_on.provider_answer"),
        (Mood::Nonsense, "sign_on.provider_answer"),
        (Mood::Another, "sign_on.provider_answer"),
        (Mood::InTheClear, "sign_on.provider_answer"),
    ] {
        house.provider.mood(mood);
        house.app = fresh(&house, &house.provider.issuer);
        let (status, headers, body) = answer(&house.app, anonymous("POST", BEGIN, Some(&json!({})))).await;
        assert_eq!((status, &body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(code)), "{mood:?}");
        assert!(headers.contains_key(header::RETRY_AFTER) && !headers.contains_key(header::SET_COOKIE));
    }
    assert!(password_opens(&house.app, "root", PASSWORD).await);

    house.provider.mood(Mood::Well);
    house.app = fresh(&house, &house.provider.issuer);
    for (mood, code) in [
        (Mood::Silent, "sign_on.provider_unreachable"),
        (Mood::Broken, "sign_on.provider_unreachable"),
        (Mood::Huge, "sign_on.provider_answer"),
        (Mood::Redirects, "sign_on.provider_answer"),
        (Mood::Nonsense, "sign_on.provider_answer"),
    ] {
        house.provider.token_mood(mood);
        house.sign_on("subject-1", ADA).await.refused(code);
    }
    house.provider.token_mood(Mood::Well);
    house.sign_on("subject-1", ADA).await.is_in();

    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    house.app = fresh(&house, &nobody);
    let (status, _, body) = answer(&house.app, anonymous("POST", BEGIN, Some(&json!({})))).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("sign_on.provider_unreachable"))
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_wrong_client_secret_is_named_without_being_told(options: PgPoolOptions, login: PgConnectOptions) {
    let change = |settings| Settings { client_secret: Secret::new("s3cret of old"), ..settings };
    let house = House::with(options, login, hasty(), change).await;
    house.sign_on("subject-1", ADA).await.refused("sign_on.provider_answer");
    let refusal = house.refusal().await;
    assert_eq!(refusal["why"], "exchanging the code: it answered 400 Bad Request (invalid_client)");
    assert!(!refusal.to_string().contains("s3cret"));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn browsers_on_their_way_are_bounded(options: PgPoolOptions, login: PgConnectOptions) {
    let house = House::new(options, login).await;
    let address = "insert into sign_on_pending (secret_sha256, return_to, address, begun_at)
        select sha256(n::text::bytea), '/', $1, now() - make_interval(secs => n * 0.01) from generate_series($2, $3) n";
    let fill = async |of: &str, from: i32, to: i32| {
        let made = sqlx::query(address).bind(of).bind(from).bind(to).execute(&house.app.state.pool).await;
        made.expect("rows");
    };
    let from = |of: &str| {
        let mut request = anonymous("POST", BEGIN, Some(&json!({})));
        let peer = std::net::SocketAddr::new(of.parse().expect("an address"), 1);
        request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
        request
    };
    fill("192.0.2.1", 1, 200).await;
    let (status, _, body) = answer(&house.app, from("192.0.2.1")).await;
    assert_eq!((status, &body["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("sign_on.too_many")));
    assert_eq!(answer(&house.app, from("192.0.2.2")).await.0, StatusCode::OK, "others go on");
    fill("192.0.2.3", 1001, 12_000).await;
    assert_eq!(answer(&house.app, from("192.0.2.2")).await.0, StatusCode::OK);
    let left: i64 = sqlx::query_scalar("select count(*) from sign_on_pending")
        .fetch_one(&house.app.state.pool)
        .await
        .expect("a count");
    assert_eq!(left, 10_000);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_address_that_knocks_and_knocks_is_not_even_looked_at(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let house = House::new(options, login).await;
    sqlx::query(
        "insert into sign_in_failure (name, address) select '', '192.0.2.1' from generate_series(1, 50)",
    )
    .execute(&house.app.state.pool)
    .await
    .expect("rows");
    let mut request = anonymous("GET", CALLBACK, None);
    let peer = std::net::SocketAddr::from(([192, 0, 2, 1], 1));
    request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
    let (_, headers, _) = answer(&house.app, request).await;
    assert_eq!(headers[header::LOCATION], "/sign-in?refused=session.throttled");
    assert!(house.record().await.is_empty(), "the record does not grow");
}
