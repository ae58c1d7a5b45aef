//! Every route that changes something leaves an event by whoever asked, from where they asked; the few that do not
//! are named here with the reason. The whole list is a snapshot, and a new route fails until it is in one or the other.

use crate::api_loop::campaigns::{FEATURES, GENES, body as new_campaign};
use crate::laboratory::{Laboratory, Settings};
use crate::support::{App, request};
use crate::work;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, header};
use jobs::wire::Report;
use jobs::work::Kind;
use jobs::{Digest, JobId};
use orchestrator::api::{AppState, Config, rules};
use orchestrator::store::jobs::NewJob;
use orchestrator::store::tokens::{ActorKind, Scope};
use orchestrator::store::{epoch, instruments};
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use tower::ServiceExt;

/// Routes that change something and leave no event of their own.
const EXEMPT: &[(&str, &str)] = &[
    (
        "POST /api/v1/leases",
        "traffic of workers: the attempt names worker and times, the job's outcome is an event",
    ),
    ("POST /api/v1/jobs/{id}/start", "traffic: the attempt keeps it"),
    ("POST /api/v1/jobs/{id}/heartbeat", "traffic"),
    ("POST /api/v1/jobs/{id}/release", "traffic: the attempt keeps it"),
    ("POST /api/v1/campaigns/check", "a look at a file: nothing is made of it"),
    (
        "POST /api/v1/orders",
        "traffic of workers: who heard of a stop is kept with the stop, which is an event",
    ),
    (
        "POST /api/v1/reconciliations/{epoch}/reconciled",
        "traffic of workers: reconciliation_party keeps who told what; opening and closing are events",
    ),
    (
        "POST /api/v1/session/sign-on",
        "nobody is known yet: whoever comes back from the provider, signed on or refused, is an event",
    ),
    ("PUT /api/v1/blobs/{sha256}", "content by its own name; the blob's row names who sent it"),
    ("POST /api/v1/uploads", "as PUT /blobs"),
    ("PATCH /api/v1/uploads/{id}", "as PUT /blobs"),
];
const PASSWORD: &str = "gravel otter sonnet 9 quince";

/// Acts through the door, each followed into the record.
struct Acts {
    app: App,
    laboratory: Laboratory,
    seen: BTreeMap<String, BTreeSet<String>>,
    sent: u32,
}

/// Who asks, and how they prove it.
struct Who<'a> {
    name: &'a str,
    headers: Vec<(&'static str, String)>,
}

impl<'a> Who<'a> {
    fn with_token(name: &'a str, token: &str) -> Self {
        Self { name, headers: vec![("authorization", format!("Bearer {token}"))] }
    }
}

impl Acts {
    /// Sends `body` as `who`; `route` as the table has it, `ids` in the places of its parameters.
    async fn act(&mut self, who: &Who<'_>, route: &str, ids: &[&str], body: Option<Value>) -> Value {
        self.act_with(who, route, ids, body, &[]).await
    }

    async fn act_with(
        &mut self,
        who: &Who<'_>,
        route: &str,
        ids: &[&str],
        body: Option<Value>,
        further: &[(&'static str, &str)],
    ) -> Value {
        let (method, template) = route.split_once(' ').expect("METHOD path");
        let mut ids = ids.iter();
        let path: Vec<&str> = template
            .split('/')
            .map(|part| if part.starts_with('{') { *ids.next().expect("an id") } else { part })
            .collect();
        let mut request = request(method, "", &path.join("/"), body.as_ref());
        request.headers_mut().remove(header::AUTHORIZATION);
        self.sent += 1;
        let request_id = format!("act-{}", self.sent);
        let headers = who.headers.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in headers.chain(further.iter().copied()).chain([
            ("x-request-id", request_id.as_str()),
            ("x-forwarded-for", "203.0.113.9, 198.51.100.7"),
            ("user-agent", "a test"),
        ]) {
            request.headers_mut().insert(
                HeaderName::from_static(name),
                HeaderValue::from_str(value).expect("a header's value"),
            );
        }
        self.follow(who, route, &request_id, request).await
    }

    async fn follow(
        &mut self,
        who: &Who<'_>,
        route: &str,
        request_id: &str,
        request: Request<Body>,
    ) -> Value {
        let response = self.app.router.clone().oneshot(request).await.expect("an answer");
        let (status, cookie) = (response.status(), response.headers().get(header::SET_COOKIE).cloned());
        let body = axum::body::to_bytes(response.into_body(), 16 << 20).await.expect("a body");
        let mut answer: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        assert!(status.is_success(), "{route} was answered {status}: {answer}");
        let events: Vec<(String, String, Value)> = sqlx::query_as(
            "select event.kind, actor.name, event.origin
             from event join actor on actor.id = event.actor_id
             where event.origin ->> 'request_id' = $1",
        )
        .bind(request_id)
        .fetch_all(&self.app.state.pool)
        .await
        .expect("events");
        let by_them: BTreeSet<String> =
            events.iter().filter(|(_, actor, _)| actor == who.name).map(|(kind, ..)| kind.clone()).collect();
        assert!(!by_them.is_empty(), "{route} left no event by {}: {events:?}", who.name);
        for (kind, _, origin) in &events {
            assert_eq!(origin["via"], "http", "{route} {kind}");
            assert_eq!(origin["address"], "198.51.100.7", "{route} {kind}: what our own proxy said");
            assert_eq!(origin["user_agent"], "a test", "{route} {kind}");
            let proof = ["token_id", "session_id"].iter().filter(|key| origin[**key].is_string()).count();
            let expected = usize::from(route != "POST /api/v1/session");
            assert_eq!(proof, expected, "{route} {kind}: by which token or session: {origin}");
            let all = origin.to_string();
            let secrets = who.headers.iter().filter_map(|(_, value)| value.split([' ', '=']).next_back());
            assert!(!secrets.clone().any(|secret| all.contains(secret)), "{route}: a secret in {all}");
        }
        self.seen.entry(route.to_owned()).or_default().extend(by_them);
        if let Some(cookie) = cookie {
            answer["cookie"] = cookie.to_str().expect("text").split(';').next().into();
        }
        answer
    }

    async fn get(&self, token: &str, path: &str) -> Value {
        let (status, answer) = self.app.get(token, path).await;
        assert!(status.is_success(), "{path}: {answer}");
        answer
    }

    async fn create_job(&self, job: NewJob) -> JobId {
        let mut conn = self.app.state.pool.acquire().await.expect("a connection");
        orchestrator::store::jobs::create(&mut conn, &job).await.expect("a job");
        job.id
    }

    async fn execute(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.app.state.pool).await.expect(sql);
    }

    /// Jobs are stopped, reported and resolved.
    async fn work(&mut self, ada: &Who<'_>, robot: &Who<'_>, robot_token: &str) {
        let stopped = self.create_job(NewJob::new(work::read())).await.to_string();
        self.act(ada, "POST /api/v1/jobs/{id}/stop", &[&stopped], Some(json!({"reason": "not now"}))).await;
        let doubtful = self.create_job(NewJob::new(work::dispense())).await.to_string();
        let wanted = json!({"contract_version": jobs::CONTRACT_VERSION, "queue": "bench", "capabilities":
            [Kind::Dispense.capability()], "instrument": null, "wait_seconds": 5});
        let (status, lease) = self.app.post(robot_token, "/api/v1/leases", &wanted).await;
        assert!(status.is_success(), "{lease}");
        let token = json!({"lease_token": lease["lease_token"]});
        let (status, answer) =
            self.app.post(robot_token, &format!("/api/v1/jobs/{doubtful}/start"), &token).await;
        assert!(status.is_success(), "{answer}");
        let lease_token = serde_json::from_value(lease["lease_token"].clone()).expect("a lease token");
        let report = json!(Report { lease_token, outcome: work::unknown(), lease: None });
        self.act(robot, "POST /api/v1/jobs/{id}/report", &[&doubtful], Some(report)).await;
        let seen = json!({"resolution": "done", "reason": "the wells are wet"});
        self.act(ada, "POST /api/v1/jobs/{id}/resolve", &[&doubtful], Some(seen)).await;
        let mut conn = self.app.state.pool.acquire().await.expect("a connection");
        let task: uuid::Uuid = sqlx::query_scalar(
            "insert into task (id, cause, message, subject, subject_id)
             values (gen_random_uuid(), 'test', 'Look.', 'test', 'x') returning id",
        )
        .fetch_one(&mut *conn)
        .await
        .expect("a task");
        drop(conn);
        self.act(ada, "POST /api/v1/tasks/{id}/close", &[&task.to_string()], None).await;
    }

    /// Steps are taken in hand, given back, done, and go wrong.
    async fn by_hand(&mut self, ada: &Who<'_>) {
        let seal = || NewJob::new(work::seal());
        let job = self.create_job(seal()).await.to_string();
        for (act, body) in [("take", None), ("give-back", Some(json!({}))), ("take", None)] {
            self.act(ada, &format!("POST /api/v1/jobs/{{id}}/{act}"), &[&job], body).await;
        }
        self.act(ada, "POST /api/v1/jobs/{id}/done", &[&job], Some(json!({}))).await;
        let job = self.create_job(seal()).await.to_string();
        self.act(ada, "POST /api/v1/jobs/{id}/take", &[&job], None).await;
        let fell = Some(json!({"reason": "it fell"}));
        self.act(ada, "POST /api/v1/jobs/{id}/went-wrong", &[&job], fell).await;
    }

    /// Jobs, instruments and the laboratory are given orders.
    async fn orders(&mut self, ada: &Who<'_>) {
        let why = || Some(json!({"reason": "a leak under the bench"}));
        let job = self.create_job(NewJob::new(work::read())).await.to_string();
        for order in ["pause", "resume", "drain", "cancel"] {
            self.act(ada, &format!("POST /api/v1/jobs/{{id}}/{order}"), &[&job], why()).await;
        }
        for order in ["pause", "resume", "drain", "resume", "cancel"] {
            self.act(ada, &format!("POST /api/v1/instruments/{{name}}/{order}"), &["reader-9"], why()).await;
        }
        for order in ["stop", "resume"] {
            self.act(ada, &format!("POST /api/v1/laboratory/{order}"), &[], why()).await;
        }
    }

    /// Another life of the database: an instrument is excused, and robots are given work again.
    async fn another_life(&mut self, ada: &Who<'_>, owner: &PgPool, token: &str) {
        let mut conn = owner.acquire().await.expect("a connection");
        instruments::seen(&mut conn, &[("reader-1", 0.0)]).await.expect("seen");
        epoch::begin(&mut conn).await.expect("another life");
        drop(conn);
        let standing = self.get(token, "/api/v1/reconciliation").await;
        for party in standing["instruments"].as_array().expect("a list") {
            let excuse = json!({"instrument": party["instrument"], "reason": "its disk burnt"});
            self.act(ada, "POST /api/v1/reconciliation/excuse", &[], Some(excuse)).await;
        }
        let close = json!({"reason": "looked at every plate"});
        self.act(ada, "POST /api/v1/reconciliation/close", &[], Some(close)).await;
    }

    /// A batch is talked about, edited, approved; its plate is decided on; the next one is rejected.
    async fn campaign(&mut self, ada: &Who<'_>, grace: &Who<'_>, token: &str) {
        let batches = self.get(token, "/api/v1/batches").await;
        let batch = batches["items"][0]["id"].as_str().expect("a batch").to_owned();
        let batch = batch.as_str();
        let hello = json!({"text": "why so many kinases?"});
        self.act(ada, "POST /api/v1/batches/{id}/comments", &[batch], Some(hello)).await;
        let shown = self.get(token, &format!("/api/v1/batches/{batch}/proposals")).await;
        let proposal = shown["items"][0]["id"].clone();
        let remove = json!({"proposal_id": proposal, "reason": "toxic"});
        let seen = [("if-match", "\"1\"")];
        self.act_with(ada, "POST /api/v1/batches/{id}/remove", &[batch], Some(remove), &seen).await;
        let add = json!({"perturbation": "G040", "context": "donor-1", "reason": "a control of ours"});
        let seen = [("if-match", "\"2\"")];
        self.act_with(ada, "POST /api/v1/batches/{id}/add", &[batch], Some(add), &seen).await;
        self.laboratory.run().await;
        let seen = [("if-match", "\"3\"")];
        self.act_with(grace, "POST /api/v1/batches/{id}/approve", &[batch], Some(json!({})), &seen).await;
        self.laboratory.run().await;
        let plates = self.get(token, "/api/v1/plates?state=quarantined").await;
        let plate = plates["items"][0]["id"].as_str().expect("a quarantined plate").to_owned();
        let release = json!({"decision": "release", "reason": "looked at the wells"});
        self.act(ada, "POST /api/v1/plates/{id}/decide", &[&plate], Some(release)).await;
        self.laboratory.run().await;
        let batches = self.get(token, "/api/v1/batches?state=awaiting_approval").await;
        let next = batches["items"][0]["id"].as_str().expect("the next batch").to_owned();
        let revision = format!("\"{}\"", batches["items"][0]["revision"]);
        let no = json!({"reason": "too many kinases"});
        let seen = [("if-match", revision.as_str())];
        self.act_with(grace, "POST /api/v1/batches/{id}/reject", &[&next], Some(no), &seen).await;
        self.laboratory.run().await;
        let round = self.laboratory.last_round().await.id.to_string();
        let why = || Some(json!({"reason": "the incubator is warm"}));
        self.act(ada, "POST /api/v1/rounds/{id}/hold", &[&round], why()).await;
        self.act(ada, "POST /api/v1/rounds/{id}/resume", &[&round], Some(json!({}))).await;
        self.act(ada, "POST /api/v1/rounds/{id}/pause", &[&round], why()).await;
        self.act(ada, "POST /api/v1/rounds/{id}/resume", &[&round], Some(json!({}))).await;
        self.act(ada, "POST /api/v1/rounds/{id}/drain", &[&round], why()).await;
        self.act(ada, "POST /api/v1/rounds/{id}/cancel", &[&round], why()).await;
        self.laboratory.settle().await;
        let id = self.laboratory.campaign.to_string();
        let id = id.as_str();
        let question =
            json!({"experiments": [{"perturbation": "BRCA1", "context": "donor-1"}], "wait_seconds": 0});
        self.act(ada, "POST /api/v1/campaigns/{id}/predictions", &[id], Some(question)).await;
        let screen = json!({"space": {"of": "known", "context": "donor-1"}});
        self.act(ada, "POST /api/v1/campaigns/{id}/screens", &[id], Some(screen)).await;
        self.act(ada, "POST /api/v1/campaigns/{id}/pause", &[id], Some(json!({}))).await;
        self.act(ada, "POST /api/v1/campaigns/{id}/resume", &[id], Some(json!({}))).await;
        self.act(ada, "POST /api/v1/campaigns/{id}/drain", &[id], Some(json!({}))).await;
        self.act(ada, "POST /api/v1/campaigns/{id}/resume", &[id], Some(json!({}))).await;
        self.act(ada, "POST /api/v1/campaigns/{id}/start-round", &[id], Some(json!({}))).await;
        self.act(ada, "POST /api/v1/campaigns/{id}/cancel", &[id], why()).await;
        for format in ["csv", "json", "parquet"] {
            self.act(ada, &format!("GET /api/v1/campaigns/{{id}}/results.{format}"), &[id], None).await;
        }
        self.act(ada, "GET /api/v1/campaigns/{id}/crate.zip", &[id], None).await;
        for bytes in [GENES, FEATURES] {
            let path = format!("/api/v1/blobs/{}", Digest::of(bytes));
            let mut put = request("PUT", token, &path, None);
            *put.body_mut() = bytes.into();
            assert!(self.app.send(put).await.0.is_success());
        }
        self.act(ada, "POST /api/v1/campaigns", &[], Some(new_campaign())).await;
    }

    /// What belongs to the whole installation.
    async fn installation(&mut self, ada: &Who<'_>, token: &str) {
        let instrument = json!({"capabilities": ["read.plate"], "profile": {}});
        self.act(ada, "PUT /api/v1/instruments/{name}", &["reader-9"], Some(instrument)).await;
        let stocktaking = json!({"from": "2030-01-12", "to": "2030-01-13", "reason": "stocktaking"});
        let blackout = self.act(ada, "POST /api/v1/calendar/blackouts", &[], Some(stocktaking)).await;
        let blackout = blackout["id"].as_str().expect("an id").to_owned();
        self.act(ada, "DELETE /api/v1/calendar/blackouts/{id}", &[&blackout], None).await;
        for (route, table) in [
            (
                "POST /api/v1/inventory/library",
                "barcode,labware,well,content,volume_nl\nL9,nest_96_wellplate_200ul_flat,A1,G001,1000\n",
            ),
            (
                "POST /api/v1/inventory/assay-plates",
                "barcode,labware,context\nQ9,nest_96_wellplate_200ul_flat,donor-1\n",
            ),
        ] {
            self.act_table(ada, route, "", table).await;
        }
        let count = "barcode,well,volume_nl\nL9,A1,900\n";
        self.act_table(ada, "POST /api/v1/inventory/volumes", "?reason=weighed", count).await;
        for verb in ["found", "withdraw", "put-back"] {
            let route = format!("POST /api/v1/inventory/plates/{{barcode}}/{verb}");
            self.act(ada, &route, &["Q9"], Some(json!({"reason": "tidying up"}))).await;
        }
        let hook = json!({"name": "hook", "kind": "webhook", "target": "https://hooks.example.org/a"});
        let added = self.act(ada, "POST /api/v1/channels", &[], Some(hook)).await;
        let channel = added["channel"]["id"].as_str().expect("an id").to_owned();
        let change = json!({"name": "hooked"});
        self.act(ada, "PUT /api/v1/channels/{id}", &[&channel], Some(change)).await;
        let delivery = self.act(ada, "POST /api/v1/channels/{id}/test", &[&channel], None).await;
        let delivery = delivery["id"].as_str().expect("an id").to_owned();
        self.execute("update delivery set state = 'dead', ended_at = now()").await;
        self.act(ada, "POST /api/v1/deliveries/{id}/redeliver", &[&delivery], None).await;
        self.act(ada, "DELETE /api/v1/channels/{id}", &[&channel], None).await;
        self.laboratory.engine.relay().await.expect("relayed");
        let open = self.get(token, "/api/v1/notifications").await;
        let open = open["items"][0]["id"].as_str().expect("a notification").to_owned();
        self.act(ada, "POST /api/v1/notifications/{id}/acknowledge", &[&open], None).await;
        self.act(ada, "POST /api/v1/projects", &[], Some(json!({"name": "second"}))).await;
        let new = json!({"actor": "agent-9", "kind": "agent", "scopes": ["work:bench"], "label": "x", "valid_hours": 1});
        let made = self.act(ada, "POST /api/v1/tokens", &[], Some(new)).await;
        let made = made["id"].as_str().expect("an id").to_owned();
        self.act(ada, "DELETE /api/v1/tokens/{id}", &[&made], None).await;
    }

    async fn act_table(&mut self, who: &Who<'_>, route: &str, query: &str, table: &'static str) {
        let (method, path) = route.split_once(' ').expect("METHOD path");
        let mut request = request(method, "", &format!("{path}{query}"), None);
        *request.body_mut() = table.into();
        self.sent += 1;
        let request_id = format!("act-{}", self.sent);
        for (name, value) in [
            ("content-type", "text/csv"),
            ("authorization", who.headers[0].1.as_str()),
            ("x-request-id", request_id.as_str()),
            ("x-forwarded-for", "198.51.100.7"),
            ("user-agent", "a test"),
        ] {
            request
                .headers_mut()
                .insert(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"));
        }
        self.follow(who, route, &request_id, request).await;
    }

    /// Accounts and sessions.
    async fn people(&mut self, ada: &Who<'_>) {
        let new = json!({"name": "linus", "display_name": "Linus", "grants": []});
        let made = self.act(ada, "POST /api/v1/users", &[], Some(new)).await;
        let id = made["user"]["id"].as_str().expect("an id").to_owned();
        let initial = made["initial_password"].as_str().expect("a password").to_owned();
        let roles = json!({"grants": [{"role": "viewer"}]});
        self.act(ada, "PUT /api/v1/users/{id}/grants", &[&id], Some(roles)).await;
        let first = self.sign_in(&initial).await;
        let change = json!({"current": initial, "new": PASSWORD});
        self.act(&first, "POST /api/v1/session/password", &[], Some(change)).await;
        self.act(&first, "DELETE /api/v1/session", &[], None).await;
        let second = self.sign_in(PASSWORD).await;
        self.act(&second, "DELETE /api/v1/session/everywhere", &[], None).await;
        self.act(ada, "DELETE /api/v1/users/{id}/sessions", &[&id], None).await;
        self.act(ada, "POST /api/v1/users/{id}/password", &[&id], None).await;
        let address = json!({"email": "linus@example.org"});
        self.act(ada, "PUT /api/v1/users/{id}/sign-on", &[&id], Some(address)).await;
        self.act(ada, "POST /api/v1/users/{id}/disable", &[&id], None).await;
        self.act(ada, "POST /api/v1/users/{id}/enable", &[&id], None).await;
    }

    async fn sign_in(&mut self, password: &str) -> Who<'static> {
        let nobody = Who { name: "linus", headers: Vec::new() };
        let body = json!({"name": "linus", "password": password});
        let answer = self.act(&nobody, "POST /api/v1/session", &[], Some(body)).await;
        let cookie = answer["cookie"].as_str().expect("a cookie").to_owned();
        let csrf = answer["csrf_token"].as_str().expect("a token").to_owned();
        Who { name: "linus", headers: vec![("cookie", cookie), ("x-csrf-token", csrf)] }
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn every_act_is_in_the_record_by_whom_and_from_where(options: PgPoolOptions, login: PgConnectOptions) {
    let owner = options.clone().connect_with(login.clone()).await.expect("the owner");
    let settings = Settings { batch: 4, auto_approve: false, ..Settings::default() };
    let mut laboratory = Laboratory::new(options, login, settings).await;
    laboratory.world.spoilt.push("P-001".into());
    laboratory.run().await;
    let engine = &laboratory.engine;
    let config = Config { behind_proxy: true, ..Config::default() };
    let state = AppState::new(laboratory.pool.clone(), engine.blobs.clone(), engine.wakeups.clone(), config);
    let app = App::over(state);
    let token = app.token_of("ada", ActorKind::Person, &Scope::ALL).await;
    let other = app.token_of("grace", ActorKind::Person, &Scope::ALL).await;
    let agent = app.token_of("bench", ActorKind::Agent, &[Scope::WorkBench]).await;
    let mut acts = Acts { app, laboratory, seen: BTreeMap::new(), sent: 0 };
    let (ada, grace) = (Who::with_token("ada", &token), Who::with_token("grace", &other));
    acts.installation(&ada, &token).await;
    acts.campaign(&ada, &grace, &token).await;
    acts.work(&ada, &Who::with_token("bench", &agent), &agent).await;
    acts.by_hand(&ada).await;
    acts.people(&ada).await;
    acts.orders(&ada).await;
    acts.another_life(&ada, &owner, &token).await;

    for rule in rules().into_iter().filter(|rule| rule.method != Method::GET) {
        let route = format!("{} {}", rule.method, rule.path);
        let exempt = EXEMPT.iter().any(|(known, _)| *known == route);
        assert!(
            exempt != acts.seen.contains_key(&route),
            "{route} is neither played here nor exempt with a reason (or both)"
        );
    }
    let mut table = String::new();
    for (route, kinds) in &acts.seen {
        let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
        writeln!(table, "{route}: {}", kinds.join(" ")).expect("a string");
    }
    for (route, why) in EXEMPT {
        writeln!(table, "{route}: none ({why})").expect("a string");
    }
    insta::assert_snapshot!(table);
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_attempt_to_sign_in_that_fails_is_recorded_without_what_was_typed(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let app = App::new(options, login).await;
    let admin = app.token(&[Scope::Admin]).await;
    let new = json!({"name": "linus", "display_name": "Linus", "grants": []});
    let (_, made) = app.post(&admin, "/api/v1/users", &new).await;
    for (name, password) in [("linus", "wrong"), ("correct horse battery", "linus")] {
        let mut request =
            request("POST", "", "/api/v1/session", Some(&json!({"name": name, "password": password})));
        request.headers_mut().remove(header::AUTHORIZATION);
        assert_eq!(app.status(request).await, 401);
    }
    let refused: Vec<(String, String, Value)> = sqlx::query_as(
        "select subject_id, actor.name, body from event join actor on actor.id = actor_id
         where event.kind = 'SignInRefused' order by event.id",
    )
    .fetch_all(&app.state.pool)
    .await
    .expect("events");
    let because = json!({"because": "wrong_credentials"});
    let linus = made["user"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(
        refused,
        [
            (linus, "loopwright".to_owned(), because.clone()),
            ("unknown".to_owned(), "loopwright".to_owned(), because)
        ]
    );
}
