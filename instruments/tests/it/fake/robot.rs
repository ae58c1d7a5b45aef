//! A robot server with the habits of the real one (8.1.0) that a driver has to live with: summaries
//! without results, cursors moved back to the last command, idle runs replaced without a word, a lost
//! record after a power cut, 500 for an unknown parameter, a maintenance run that a play ends.

use super::line::{Line, carry, serve};
use super::{Ending, Fake};
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post, put};
use axum::{Json, Router, middleware};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

pub struct Robot {
    url: String,
    line: Line,
    world: Arc<World>,
}

struct World {
    state: Mutex<Deck>,
    half_way: Notify,
}

/// What a test may change before the driver comes.
pub struct Deck {
    pub robot_model: &'static str,
    pub analysis_result: &'static str,
    /// The robot's words when a run fails.
    pub failing_command: &'static str,
    /// Volume that dispenses report, in place of the one asked for.
    pub reported_ul: Option<f64>,
    /// Dispenses go to this well, whatever the picklist says.
    pub wrong_well: Option<&'static str>,
    pub recovered: bool,
    pub runs: Vec<Run>,
    pub policies: Vec<Value>,
    pub client_data: Value,
    /// Somebody's maintenance run, and how many a play has ended.
    pub maintenance: Option<&'static str>,
    pub maintenance_ended: usize,
    /// One is begun as soon as the next run is made.
    pub maintenance_to_come: bool,
    /// Whether the door is open, and has to be closed; `None`: the robot does not know such doors.
    pub door: Option<(bool, bool)>,
    /// Plays are answered 409.
    pub refuses_play: bool,
    /// Somebody plays the idle run at the robot, a moment before it is stopped.
    pub is_played_by_hand: bool,
    ending: Option<Ending>,
    picklists: Vec<String>,
    analysed: Option<usize>,
    begun: usize,
}

pub struct Run {
    pub id: String,
    pub status: &'static str,
    pub ok: bool,
    pub protocol: &'static str,
    pub actions: Vec<String>,
    pub commands: Vec<Value>,
    pub errors: Vec<Value>,
    pub forgotten: bool,
    picklist: usize,
}

const PROTOCOL: &str = "protocol-1";

impl Robot {
    pub async fn start() -> Self {
        let deck = Deck {
            robot_model: "OT-2 Standard",
            analysis_result: "ok",
            failing_command: "dispense",
            reported_ul: None,
            wrong_well: None,
            recovered: false,
            runs: Vec::new(),
            policies: Vec::new(),
            client_data: Value::Null,
            maintenance: None,
            maintenance_ended: 0,
            maintenance_to_come: false,
            door: None,
            refuses_play: false,
            is_played_by_hand: false,
            ending: Some(Ending::Success),
            picklists: Vec::new(),
            analysed: None,
            begun: 0,
        };
        let world = Arc::new(World { state: Mutex::new(deck), half_way: Notify::new() });
        let line = Line::default();
        let router = Router::new()
            .route("/health", get(health))
            .route("/dataFiles", post(data_file))
            .route("/protocols", post(protocol))
            .route("/protocols/{id}/analyses", get(analyses))
            .route("/runs", get(runs).post(create_run))
            .route("/runs/{id}", get(run))
            .route("/runs/{id}/actions", post(act))
            .route("/runs/{id}/commands", get(commands))
            .route("/runs/{id}/commands/{command}", get(command))
            .route("/runs/{id}/commandErrors", get(command_errors))
            .route("/runs/{id}/errorRecoveryPolicy", put(policy))
            .route("/clientData/{key}", put(client_data).get(published))
            .route("/maintenance_runs/current_run", get(maintenance_run))
            .route("/robot/door/status", get(door))
            .with_state(world.clone())
            .layer(middleware::from_fn_with_state(line.clone(), carry));
        Self { url: serve(router).await, line, world }
    }

    /// To look at, and to change.
    pub fn deck(&self) -> MutexGuard<'_, Deck> {
        self.world.state.lock().unwrap()
    }
}

impl Deck {
    /// A run made by somebody else.
    pub fn add_foreign_run(&mut self, status: &'static str) {
        self.runs.push(Run::new("foreign".to_owned(), "theirs", 0, status));
    }

    fn run_mut(&mut self, id: &str) -> Option<&mut Run> {
        self.runs.iter_mut().find(|run| run.id == id && !run.forgotten)
    }

    fn play(&mut self, index: usize) -> bool {
        let rows = rows(&self.picklists[self.runs[index].picklist]);
        self.begun += 1;
        let (stop_at, ending) = match self.ending {
            None => (1, None),
            Some(Ending::Failure) => (1, Some(Ending::Failure)),
            Some(Ending::Success) => (rows.len(), Some(Ending::Success)),
        };
        self.runs[index].status = "running";
        let loads = load_commands(&rows);
        self.runs[index].commands.extend(loads);
        if !(ending == Some(Ending::Failure) && self.failing_command == "loadPipette") {
            self.transfer(index, &rows[..stop_at]);
        }
        match ending {
            Some(ending) => self.end(index, ending),
            None => self.runs[index].commands.push(running_aspirate()),
        }
        ending.is_none()
    }

    /// Carries out rows, or what is left of them.
    fn transfer(&mut self, index: usize, rows: &[HashMap<String, String>]) {
        for row in rows {
            let commands = transfer_commands(row, self.wrong_well, self.reported_ul);
            self.runs[index].commands.extend(commands);
        }
    }

    fn end(&mut self, index: usize, ending: Ending) {
        let run = &mut self.runs[index];
        match ending {
            Ending::Success => run.status = "succeeded",
            Ending::Failure => {
                let inner = json!({"errorCode": "2017", "errorType": "overpressure", "detail": "the tip is blocked", "wrappedErrors": []});
                let failed = json!({"id": format!("c{}", run.commands.len()), "key": "k", "commandType": self.failing_command, "status": "failed", "params": {}, "error": inner});
                run.commands.push(failed);
                run.errors = vec![
                    json!({"errorCode": "4000", "errorType": "ProtocolCommandFailedError", "detail": "outer", "wrappedErrors": [inner]}),
                ];
                run.status = "failed";
            }
        }
    }

    /// Lets what waits go on.
    fn go_on(&mut self, ending: Ending) {
        let Some(index) = self.runs.iter().position(|run| run.status == "running") else {
            return;
        };
        let rows = rows(&self.picklists[self.runs[index].picklist]);
        self.runs[index].commands.pop();
        if ending == Ending::Success {
            self.transfer(index, &rows[1..]);
        }
        self.end(index, ending);
    }
}

impl Run {
    fn new(id: String, protocol: &'static str, picklist: usize, status: &'static str) -> Self {
        Self {
            id,
            status,
            ok: true,
            protocol,
            actions: vec![],
            commands: vec![],
            errors: vec![],
            forgotten: false,
            picklist,
        }
    }

    fn view(&self, current: bool, recovered: bool) -> Value {
        if !self.ok {
            return json!({"id": self.id, "ok": false, "status": "stopped", "current": current, "errors": [], "actions": [], "labware": []});
        }
        let actions: Vec<Value> = self.actions.iter().map(|action| json!({"actionType": action})).collect();
        json!({
            "id": self.id, "ok": true, "status": self.status, "current": current, "protocolId": self.protocol,
            "errors": self.errors, "actions": actions, "hasEverEnteredErrorRecovery": recovered, "labware": [],
        })
    }
}

type Answer = (StatusCode, Json<Value>);

fn ok(data: Value) -> Answer {
    (StatusCode::OK, Json(json!({"data": data})))
}

fn error(status: StatusCode, id: &str) -> Answer {
    (status, Json(json!({"errors": [{"id": id, "title": id, "detail": id, "errorCode": "4000"}]})))
}

async fn health(State(world): State<Arc<World>>, headers: HeaderMap) -> Answer {
    if headers.get("Opentrons-Version").is_none() {
        return error(StatusCode::UNPROCESSABLE_ENTITY, "HeaderMissing");
    }
    let model = world.state.lock().unwrap().robot_model;
    (
        StatusCode::OK,
        Json(json!({
            "name": "fake", "robot_model": model, "api_version": "8.1.0", "robot_serial": "0",
            "maximum_protocol_api_version": [2, 20],
        })),
    )
}

async fn data_file(State(world): State<Arc<World>>, mut form: Multipart) -> Answer {
    let field = form.next_field().await.unwrap().unwrap();
    assert_eq!(field.name(), Some("file"));
    assert!(field.file_name().unwrap().ends_with(".csv"));
    let text = field.text().await.unwrap();
    let picklists = &mut world.state.lock().unwrap().picklists;
    picklists.push(text);
    ok(json!({"id": format!("file-{}", picklists.len() - 1)}))
}

async fn protocol(State(world): State<Arc<World>>, mut form: Multipart) -> Answer {
    let mut parameters = None;
    while let Some(field) = form.next_field().await.unwrap() {
        if field.name() == Some("runTimeParameterFiles") {
            let text = field.text().await.unwrap();
            parameters = Some(serde_json::from_str::<Value>(&text).unwrap());
        }
    }
    let mut state = world.state.lock().unwrap();
    state.analysed = parameters.and_then(|given| picklist_index(&given));
    ok(json!({"id": PROTOCOL, "analysisSummaries": []}))
}

fn picklist_index(files: &Value) -> Option<usize> {
    files["picklist"].as_str()?.strip_prefix("file-")?.parse().ok()
}

async fn analyses(State(world): State<Arc<World>>) -> Answer {
    let state = world.state.lock().unwrap();
    let file = state.analysed.map(|index| json!({"id": format!("file-{index}"), "name": "x.csv"}));
    let last = json!({
        "id": "a2", "status": "completed", "result": if file.is_some() { state.analysis_result } else { "parameter-value-required" },
        "runTimeParameters": [{"variableName": "picklist", "type": "csv_file", "file": file}],
    });
    // An older analysis, of another picklist, comes first.
    ok(json!([{"id": "a1", "status": "completed", "result": "not-ok", "errors": [{"detail": "old"}]}, last]))
}

async fn runs(State(world): State<Arc<World>>) -> Answer {
    let state = world.state.lock().unwrap();
    let last = state.runs.len().wrapping_sub(1);
    let all: Vec<Value> = state.runs.iter().enumerate().map(|(i, run)| run.view(i == last, false)).collect();
    let links =
        state.runs.last().map_or(json!({}), |run| json!({"current": {"href": format!("/runs/{}", run.id)}}));
    (
        StatusCode::OK,
        Json(json!({"data": all, "links": links, "meta": {"cursor": 0, "totalLength": all.len()}})),
    )
}

async fn create_run(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Answer {
    let mut state = world.state.lock().unwrap();
    let Some(picklist) = picklist_index(&body["data"]["runTimeParameterFiles"]) else {
        return error(StatusCode::INTERNAL_SERVER_ERROR, "UnexpectedError");
    };
    if let Some(run) = state.runs.last_mut() {
        match run.status {
            "running" => return error(StatusCode::CONFLICT, "RunAlreadyActive"),
            "idle" => run.status = "stopped",
            _ => {}
        }
    }
    if std::mem::take(&mut state.maintenance_to_come) {
        state.maintenance = Some("calibration");
    }
    let id = format!("run-{}", state.runs.len());
    state.runs.push(Run::new(id, PROTOCOL, picklist, "idle"));
    (StatusCode::CREATED, ok(state.runs.last().unwrap().view(true, false)).1)
}

async fn run(State(world): State<Arc<World>>, Path(id): Path<String>) -> Answer {
    let mut state = world.state.lock().unwrap();
    let (recovered, last) = (state.recovered, state.runs.last().map(|run| run.id.clone()));
    match state.run_mut(&id) {
        Some(run) => ok(run.view(last == Some(id), recovered)),
        None => error(StatusCode::NOT_FOUND, "RunNotFound"),
    }
}

async fn act(State(world): State<Arc<World>>, Path(id): Path<String>, Json(body): Json<Value>) -> Answer {
    let action = body["data"]["actionType"].as_str().unwrap().to_owned();
    let mut state = world.state.lock().unwrap();
    let Some(index) = state.runs.iter().position(|run| run.id == id) else {
        return error(StatusCode::NOT_FOUND, "RunNotFound");
    };
    if index + 1 != state.runs.len() {
        return error(StatusCode::CONFLICT, "RunStopped");
    }
    if action == "play" && state.maintenance.take().is_some() {
        state.maintenance_ended += 1;
    }
    if action == "play" && state.refuses_play {
        return error(StatusCode::CONFLICT, "RunActionNotAllowed");
    }
    if action == "stop" && state.is_played_by_hand && state.runs[index].status == "idle" {
        state.play(index);
    }
    match (action.as_str(), state.runs[index].status) {
        ("play", "idle") => {
            if state.play(index) {
                world.half_way.notify_one();
            }
        }
        ("play", "running") => {}
        ("stop", "idle" | "running") => {
            let run = &mut state.runs[index];
            run.status = "stopped";
            if let Some(last) = run.commands.last_mut().filter(|last| last["status"] == "running") {
                last["status"] = json!("failed");
            }
        }
        _ => return error(StatusCode::CONFLICT, "RunActionNotAllowed"),
    }
    state.runs[index].actions.push(action);
    (StatusCode::CREATED, ok(json!({})).1)
}

async fn commands(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, usize>>,
) -> Answer {
    let mut state = world.state.lock().unwrap();
    let Some(run) = state.run_mut(&id) else {
        return error(StatusCode::NOT_FOUND, "RunNotFound");
    };
    let total = run.commands.len();
    let cursor = query.get("cursor").copied().unwrap_or(total.saturating_sub(2)).min(total.saturating_sub(1));
    // Small pages, whatever was asked for, so that paging is tested.
    let page: Vec<Value> =
        run.commands.iter().skip(cursor).take(query["pageLength"].min(7)).map(summary).collect();
    (StatusCode::OK, Json(json!({"data": page, "meta": {"cursor": cursor, "totalLength": total}})))
}

fn summary(command: &Value) -> Value {
    let mut summary = command.clone();
    summary.as_object_mut().unwrap().remove("result");
    summary
}

async fn command(State(world): State<Arc<World>>, Path((id, command)): Path<(String, String)>) -> Answer {
    let mut state = world.state.lock().unwrap();
    let run = state.run_mut(&id).unwrap();
    ok(run.commands.iter().find(|one| one["id"] == command).unwrap().clone())
}

async fn command_errors(State(world): State<Arc<World>>, Path(id): Path<String>) -> Answer {
    let mut state = world.state.lock().unwrap();
    ok(state.run_mut(&id).unwrap().errors.clone().into())
}

async fn policy(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Answer {
    world.state.lock().unwrap().policies.push(body["data"].clone());
    ok(json!({}))
}

async fn client_data(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Answer {
    world.state.lock().unwrap().client_data = body["data"].clone();
    ok(body["data"].clone())
}

async fn published(State(world): State<Arc<World>>) -> Answer {
    match &world.state.lock().unwrap().client_data {
        Value::Null => error(StatusCode::NOT_FOUND, "ClientDataKeyDoesNotExist"),
        data => ok(data.clone()),
    }
}

async fn maintenance_run(State(world): State<Arc<World>>) -> Answer {
    match world.state.lock().unwrap().maintenance {
        Some(id) => ok(json!({"id": id, "status": "idle", "current": true})),
        None => error(StatusCode::NOT_FOUND, "NoCurrentRunFound"),
    }
}

async fn door(State(world): State<Arc<World>>) -> Answer {
    match world.state.lock().unwrap().door {
        Some((is_open, is_required)) => ok(
            json!({"status": if is_open { "open" } else { "closed" }, "doorRequiredClosedForProtocol": is_required}),
        ),
        None => error(StatusCode::NOT_FOUND, "NotFound"),
    }
}

fn rows(picklist: &str) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_reader(picklist.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn id() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn done(kind: &str, params: Value, result: Value) -> Value {
    json!({"id": id(), "key": "k", "commandType": kind, "status": "succeeded", "params": params, "result": result})
}

fn load_commands(rows: &[HashMap<String, String>]) -> Vec<Value> {
    let mut slots: Vec<&String> =
        rows.iter().flat_map(|row| [&row["source_slot"], &row["destination_slot"]]).collect();
    slots.sort();
    slots.dedup();
    let load = |slot: &&String| {
        done(
            "loadLabware",
            json!({"location": {"slotName": slot}}),
            json!({"labwareId": format!("labware-{slot}")}),
        )
    };
    slots.iter().map(load).collect()
}

fn transfer_commands(
    row: &HashMap<String, String>,
    wrong_well: Option<&str>,
    reported_ul: Option<f64>,
) -> Vec<Value> {
    let volume: f64 = row["volume_ul"].parse().unwrap();
    let labware = |end: &str| format!("labware-{}", row[&format!("{end}_slot")]);
    let well = wrong_well.map_or_else(|| row["destination_well"].clone(), str::to_owned);
    vec![
        done("pickUpTip", json!({}), json!({})),
        done(
            "aspirate",
            json!({"labwareId": labware("source"), "wellName": row["source_well"], "volume": volume}),
            json!({"volume": volume}),
        ),
        done(
            "dispense",
            json!({"labwareId": labware("destination"), "wellName": well, "volume": volume}),
            json!({"volume": reported_ul.unwrap_or(volume)}),
        ),
        done("dropTipInPlace", json!({}), json!({})),
    ]
}

fn running_aspirate() -> Value {
    json!({"id": id(), "key": "k", "commandType": "aspirate", "status": "running", "params": {"labwareId": "labware-2", "wellName": "A1", "volume": 1.0}})
}

#[async_trait::async_trait]
impl Fake for Robot {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn line(&self) -> &Line {
        &self.line
    }

    fn will_end(&self, ending: Ending) {
        self.deck().ending = Some(ending);
    }

    fn will_wait(&self) {
        self.deck().ending = None;
    }

    async fn half_way(&self) {
        self.world.half_way.notified().await;
    }

    fn go_on(&self, ending: Ending) {
        self.deck().go_on(ending);
    }

    fn lose_power(&self) {
        for run in self.deck().runs.iter_mut().filter(|run| run.status == "running") {
            run.ok = false;
            run.status = "stopped";
            run.commands.clear();
        }
    }

    fn times_begun(&self) -> usize {
        self.deck().begun
    }
}
