//! Whose account somebody arrives at, and that nobody takes over another's.

use super::*;
use orchestrator::people::manage::Refused;
use orchestrator::store::people::accounts::{self, SignsInBy, State};
use orchestrator::store::tokens::{ActorKind, Scope};

async fn switch(house: &House, id: ActorId, to: State) {
    let mut conn = house.app.state.pool.acquire().await.expect("a connection");
    manage::switch(&mut conn, id, to, SYSTEM).await.expect("stored").expect("switched");
}

async fn prepare(house: &House, id: ActorId, email: &str) -> Result<accounts::Account, Refused> {
    let mut conn = house.app.state.pool.acquire().await.expect("a connection");
    account::prepare(&mut conn, id, email, SYSTEM).await.expect("stored")
}

fn welcoming(settings: Settings) -> Settings {
    Settings { domains: vec!["example.org".to_owned()], ..settings }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_address_counts_once_and_afterwards_the_subject_alone(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let house = House::with(options, login, hasty(), welcoming).await;
    let ada = house.prepared("ada", ADA, &[]).await;
    let first = house.sign_on("subject-1", ADA).await;
    assert_eq!(session(&house.app, first.is_in()).await["user"]["id"], ada.to_string());
    // Married, and another address; or none at all.
    for email in ["ada.byron@elsewhere.example", ""] {
        let later = house.sign_on("subject-1", email).await;
        assert_eq!(session(&house.app, later.is_in()).await["user"]["id"], ada.to_string());
    }
    // She left, and her address was given to another Ada.
    house.sign_on("subject-2", ADA).await.refused("sign_on.linked_to_another");
    let (_, of, body) = house.record().await.pop().expect("an event");
    assert_eq!((of, &body["subject"]), (ada.to_string(), &json!("subject-2")));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_account_with_a_password_is_taken_by_nobody(options: PgPoolOptions, login: PgConnectOptions) {
    let house = House::with(options, login, hasty(), welcoming).await;
    house.with_password("ada", Some(ADA), &[everywhere(Role::Admin)]).await;
    house.sign_on("subject-1", ADA).await.refused("sign_on.has_password");
    assert!(password_opens(&house.app, "ada", PASSWORD).await);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_address_that_the_provider_does_not_answer_for_links_nobody(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let house = House::with(options, login, hasty(), welcoming).await;
    house.prepared("ada", ADA, &[]).await;
    house.provider.user(json!({"sub": "subject-1"}));
    for said in [json!(false), json!(null), json!("false"), json!(1)] {
        let back = house
            .sign_on_saying(|house, sent| {
                let mut claims = house.provider.claims(&sent.location, "subject-1", ADA);
                claims["email_verified"] = said.clone();
                claims
            })
            .await;
        back.refused("sign_on.email_not_verified");
    }
    let without = |house: &House, sent: &Sent| {
        let mut claims = house.provider.claims(&sent.location, "subject-1", ADA);
        claims.as_object_mut().expect("an object").remove("email");
        claims
    };
    house.sign_on_saying(without).await.refused("sign_on.email_not_verified");
    house.provider.user(json!({"sub": "subject-2", "email": ADA, "email_verified": true}));
    house.sign_on_saying(without).await.refused("sign_on.token_invalid");
    house.provider.user(json!({"sub": "subject-1", "email": ADA, "email_verified": true}));
    house.sign_on_saying(without).await.is_in();
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_trusted_providers_silence_is_taken_for_a_yes_and_its_no_for_a_no(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let trusting = |settings| Settings { trusts_email: true, ..settings };
    let house = House::with(options, login, hasty(), trusting).await;
    house.prepared("ada", ADA, &[]).await;
    for (said, is_in) in [(json!(false), false), (json!(null), true)] {
        let back = house
            .sign_on_saying(|house, sent| {
                let mut claims = house.provider.claims(&sent.location, "subject-1", ADA);
                claims["email_verified"] = said.clone();
                claims
            })
            .await;
        assert_eq!(back.session.is_some(), is_in, "{said}");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn nobody_makes_an_account_unless_their_domain_is_welcome_and_then_without_a_role(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let house = House::with(options, login, hasty(), welcoming).await;
    house.sign_on("subject-1", "eve@elsewhere.example").await.refused("sign_on.no_account");
    let back = house.sign_on("subject-2", "Grace@Example.org").await;
    let made = session(&house.app, back.is_in()).await;
    assert_eq!(made["user"]["name"], "grace@example.org");
    assert_eq!(made["user"]["display_name"], "Ada Lovelace", "as the provider calls her");
    assert_eq!((&made["grants"], &made["scopes"]), (&json!([]), &json!([])));
    let kinds: Vec<String> = house.record().await.into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, ["SignInRefused", "UserCreated", "IdentityLinked", "SignedIn"]);
    assert!(!password_opens(&house.app, "grace@example.org", "").await);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_newcomer_does_not_inherit_the_tokens_of_an_actor_without_an_account(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let house = House::with(options, login, hasty(), welcoming).await;
    house.app.token_of("grace@example.org", ActorKind::Person, &[Scope::Admin]).await;
    house.sign_on("subject-2", "grace@example.org").await.refused("sign_on.name_taken");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_account_that_is_switched_off_stays_out_linked_or_not(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let house = House::with(options, login, hasty(), welcoming).await;
    let ada = house.prepared("ada", ADA, &[]).await;
    switch(&house, ada, State::Disabled).await;
    house.sign_on("subject-1", ADA).await.refused("session.account_disabled");
    switch(&house, ada, State::Active).await;
    let cookie = house.sign_on("subject-1", ADA).await.is_in().to_owned();
    switch(&house, ada, State::Disabled).await;
    let mut request = anonymous("GET", "/api/v1/session", None);
    request.headers_mut().insert(header::COOKIE, cookie.parse().expect("a cookie"));
    assert_eq!(house.app.status(request).await, StatusCode::UNAUTHORIZED);
    house.sign_on("subject-1", ADA).await.refused("session.account_disabled");
    let (_, of, _) = house.record().await.pop().expect("an event");
    assert_eq!(of, ada.to_string(), "the record says whose account");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn whoever_signs_on_has_no_password_until_an_administrator_gives_one(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let house = House::new(options, login).await;
    house.with_password("root", None, &[everywhere(Role::Admin)]).await;
    let ada = house.with_password("ada", None, &[everywhere(Role::Scientist)]).await;
    assert_eq!(prepare(&house, ada, "no address").await, Err(Refused::EmailInvalid));
    let prepared = prepare(&house, ada, ADA).await.expect("prepared");
    assert_eq!((prepared.signs_in_by, prepared.is_linked), (SignsInBy::Provider, false));
    assert!(!password_opens(&house.app, "ada", PASSWORD).await, "it is gone");
    let cookie = house.sign_on("subject-1", ADA).await.is_in().to_owned();
    let csrf = session(&house.app, &cookie).await["csrf_token"].as_str().expect("a token").to_owned();
    let change = json!({"current": PASSWORD, "new": "quince sonnet otter 7 gravel"});
    let mut request = anonymous("POST", "/api/v1/session/password", Some(&change));
    request.headers_mut().insert(header::COOKIE, cookie.parse().expect("a cookie"));
    request.headers_mut().insert("x-csrf-token", csrf.parse().expect("a token"));
    let (status, _, body) = answer(&house.app, request).await;
    assert_eq!((status, &body["code"]), (StatusCode::CONFLICT, &json!("password.none")));

    let mut conn = house.app.state.pool.acquire().await.expect("a connection");
    let given = manage::reset_password(&mut conn, ada, SYSTEM).await.expect("stored").expect("a password");
    assert!(password_opens(&house.app, "ada", &given).await);
    house.sign_on("subject-1", ADA).await.refused("sign_on.has_password");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_account_is_unlinked_and_awaits_whoever_has_its_address(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let house = House::new(options, login).await;
    let ada = house.prepared("ada", ADA, &[]).await;
    let cookie = house.sign_on("subject-1", ADA).await.is_in().to_owned();
    let token = house.app.token(&[Scope::Admin]).await;
    let wanted = json!({"email": "ada.byron@example.org"});
    let put = request("PUT", &token, &format!("/api/v1/users/{ada}/sign-on"), Some(&wanted));
    let (status, body) = house.app.send(put).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!((&body["signs_in_by"], &body["linked"]), (&json!("provider"), &json!(false)));
    let mut seen = anonymous("GET", "/api/v1/session", None);
    seen.headers_mut().insert(header::COOKIE, cookie.parse().expect("a cookie"));
    assert_eq!(house.app.status(seen).await, StatusCode::UNAUTHORIZED, "signed out");
    house.sign_on("subject-1", ADA).await.refused("sign_on.no_account");
    house.sign_on("subject-2", "ada.byron@example.org").await.is_in();
    house.sign_on("subject-1", ADA).await.refused("sign_on.no_account");
    let record = house.record().await;
    let unlinked = record.iter().find(|(kind, ..)| kind == "SignOnPrepared").expect("an event");
    assert_eq!(
        unlinked.2,
        json!({"email": "ada.byron@example.org", "had_password": false, "was_linked": true})
    );
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn somebody_with_a_password_can_always_administer(options: PgPoolOptions, login: PgConnectOptions) {
    let house = House::new(options, login).await;
    let root = house.with_password("root", None, &[everywhere(Role::Admin)]).await;
    house.prepared("ada", ADA, &[everywhere(Role::Admin)]).await;
    assert_eq!(prepare(&house, root, "root@example.org").await, Err(Refused::LastAdmin));
    let mut conn = house.app.state.pool.acquire().await.expect("a connection");
    let off = manage::switch(&mut conn, root, State::Disabled, SYSTEM).await.expect("stored");
    assert_eq!(off, Err(Refused::LastAdmin), "Ada cannot get in while the provider is down");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn accounts_for_signing_on_are_made_with_an_address_that_no_other_awaits(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let house = House::new(options, login).await;
    let token = house.app.token(&[Scope::Admin]).await;
    let make = async |name: &str, email: Value| {
        let new = json!({"name": name, "display_name": name, "email": email, "grants": [], "signs_in_by": "provider"});
        house.app.post(&token, "/api/v1/users", &new).await
    };
    let (status, made) = make("ada", json!(ADA)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!((&made["user"]["signs_in_by"], &made["user"]["linked"]), (&json!("provider"), &json!(false)));
    assert!(made.get("initial_password").is_none(), "{made}");
    for (name, email, status, code) in [
        ("other", json!("ADA@example.org"), StatusCode::CONFLICT, "user.email_taken"),
        ("other", json!(null), StatusCode::UNPROCESSABLE_ENTITY, "user.email_missing"),
        ("ada", json!("b@example.org"), StatusCode::CONFLICT, "user.name_taken"),
    ] {
        let (answered, body) = make(name, email).await;
        assert_eq!((answered, &body["code"]), (status, &json!(code)));
    }
}
