//! What is asked: every GET route of the API, with the queries that the web app sends.

use super::laboratory::Laboratory;
use super::pages::Callers;
use anyhow::{Context, bail};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

/// A route with one form of its query.
#[derive(Clone, Debug)]
pub struct Ask {
    /// As the API describes it.
    pub what: String,
    /// Of different subjects.
    pub paths: Vec<String>,
    /// Only administrators may ask.
    pub admin: bool,
}

/// Not pages: a stream without end, whole campaigns for the disk (they are recorded as exports), files, what machines
/// ask, what answers a browser's cookie only; and answers to questions that nobody asked here.
const NOT_PAGES: [&str; 11] = [
    "/api/v1/campaigns/{id}/predictions/{job}",
    "/api/v1/campaigns/{id}/screens/{job}",
    "/api/v1/session",
    "/api/v1/events/stream",
    "/api/v1/campaigns/{id}/results.csv",
    "/api/v1/campaigns/{id}/results.json",
    "/api/v1/campaigns/{id}/results.parquet",
    "/api/v1/blobs/{sha256}",
    "/api/v1/openapi.json",
    "/api/v1/deliveries/{id}",
    "/metrics",
];

const FOR_ADMINS: [&str; 5] =
    ["/api/v1/users", "/api/v1/tokens", "/api/v1/channels", "/api/v1/deliveries", "/api/v1/checkup"];

/// Queries of the web app (`web/src/api/queries.ts`, `web/src/routes`). `ROUND`, `PLATE`, `FROM`, `TO`, `AFTER`,
/// `EXPERIMENT` stand for what is asked about.
const QUERIES: [(&str, &[&str]); 18] = [
    ("/api/v1/audit/export", &["?after=AFTER&limit=100"]),
    ("/api/v1/batches", &["?limit=1000", "?state=planned&limit=100", "?round=ROUND&limit=100"]),
    ("/api/v1/batches/{id}/plan", &["?from=1&limit=50"]),
    ("/api/v1/calendar", &["?from=FROM&to=TO&zone=UTC"]),
    ("/api/v1/campaigns", &["?limit=1000"]),
    ("/api/v1/campaigns/{id}/next-ticks", &["?n=5"]),
    ("/api/v1/campaigns/{id}/predictions", &["?EXPERIMENT"]),
    ("/api/v1/channels", &["?limit=1000"]),
    ("/api/v1/events", &["?after=AFTER&limit=120", "?after=0&limit=100"]),
    (
        "/api/v1/jobs",
        &[
            "?limit=100",
            "?state=in_doubt",
            "?state=ready&limit=100",
            "?state=succeeded&limit=100",
            "?state=failed&limit=100",
            "?kind=train&limit=100",
            "?kind=manual&limit=100",
            "?round_id=ROUND&limit=100",
            "?plate_id=PLATE&limit=100",
        ],
    ),
    ("/api/v1/notifications", &["?open=true", ""]),
    (
        "/api/v1/plates",
        &[
            "?limit=100",
            "?limit=1000",
            "?round=ROUND&limit=1000",
            "?state=quarantined&limit=1000",
            "?state=passed&limit=100",
        ],
    ),
    ("/api/v1/tasks", &["?open=true&limit=1000", "?open=false&limit=1000"]),
    ("/api/v1/tokens", &["?limit=1000"]),
    ("/api/v1/users", &["?limit=1000"]),
    ("/api/v1/inventory/plates", &["", "?role=assay&limit=100", "?role=library&search=LIB"]),
    ("/api/v1/inventory/contents", &["", "?search=g00"]),
    ("/api/v1/inventory/supplies", &["", "?days=7"]),
];

/// Every page over subjects of `laboratory` that every caller may see.
pub async fn asks(laboratory: &Laboratory, callers: &Callers) -> anyhow::Result<Vec<Ask>> {
    let subjects = Subjects::read(&laboratory.pool, callers.project).await?;
    let mut asks = Vec::new();
    for route in described()? {
        if NOT_PAGES.contains(&route.as_str()) {
            continue;
        }
        let usual: &[&str] = &[""];
        let queries = QUERIES.iter().find(|(path, _)| *path == route).map_or(usual, |(_, queries)| queries);
        for query in queries {
            let what = format!("{route}{query}");
            asks.push(Ask {
                paths: subjects.paths(&what)?,
                admin: FOR_ADMINS.contains(&route.as_str()),
                what,
            });
        }
    }
    Ok(asks)
}

/// Paths of the API that answer GET.
fn described() -> anyhow::Result<Vec<String>> {
    let description: Value = serde_json::to_value(orchestrator::api::openapi())?;
    let paths = description.get("paths").and_then(Value::as_object).context("an API without paths")?;
    Ok(paths.iter().filter(|(_, verbs)| verbs.get("get").is_some()).map(|(path, _)| path.clone()).collect())
}

/// What may be asked about.
struct Subjects {
    campaigns: Vec<Uuid>,
    rounds: Vec<Uuid>,
    batches: Vec<Uuid>,
    plates: Vec<Uuid>,
    jobs: Vec<Uuid>,
    models: Vec<Uuid>,
    /// Of the stock.
    barcodes: Vec<String>,
    after: i64,
}

impl Subjects {
    /// Some old, some new, of one project.
    async fn read(pool: &PgPool, project: Uuid) -> anyhow::Result<Self> {
        let some = |from: &'static str| some(pool, project, from);
        Ok(Self {
            campaigns: some("select campaign.id from campaign where project_id = $1 order by id").await?,
            rounds: some("select round.id from round join campaign on campaign.id = campaign_id where project_id = $1").await?,
            batches: some("select batch.id from batch join round on round.id = round_id join campaign on campaign.id = campaign_id where project_id = $1").await?,
            plates: some("select plate.id from plate join round on round.id = round_id join campaign on campaign.id = campaign_id where project_id = $1").await?,
            jobs: some("select job.id from job join campaign on campaign.id = campaign_id where project_id = $1 and job.plate_id is not null").await?,
            models: some("select model_version.id from model_version join campaign on campaign.id = campaign_id where project_id = $1").await?,
            barcodes: barcodes(pool).await?,
            after: sqlx::query_scalar::<_, i64>("select position from event_sealer").fetch_one(pool).await? - 120,
        })
    }

    fn paths(&self, what: &str) -> anyhow::Result<Vec<String>> {
        let ids: &[Uuid] = match what.strip_prefix("/api/v1/").unwrap_or(what).split('/').next() {
            Some("campaigns") => &self.campaigns,
            Some("rounds") => &self.rounds,
            Some("batches") => &self.batches,
            Some("plates") => &self.plates,
            Some("jobs") => &self.jobs,
            Some("models") => &self.models,
            _ => &[],
        };
        let ids = if what.contains("{id}") || what.contains("EXPERIMENT") { ids } else { &self.rounds };
        if ids.is_empty() {
            bail!("there is nothing to ask {what} about");
        }
        Ok(ids.iter().enumerate().map(|(number, id)| self.path(what, number, *id)).collect())
    }

    fn path(&self, what: &str, number: usize, id: Uuid) -> String {
        let plate = self.plates[number % self.plates.len()];
        what.replace("{id}", &id.to_string())
            .replace("{name}", "handler-1")
            .replace("{barcode}", &self.barcodes[number % self.barcodes.len()])
            .replace("ROUND", &self.rounds[number % self.rounds.len()].to_string())
            .replace("PLATE", &plate.to_string())
            .replace("FROM", "2026-11-30T00:00:00Z")
            .replace("TO", "2026-12-07T00:00:00Z")
            .replace("AFTER", &self.after.max(0).to_string())
            .replace("EXPERIMENT", "perturbation=G0001%2BG0640&context=cells")
    }
}

/// Source plates, and as many assay plates.
async fn barcodes(pool: &PgPool) -> anyhow::Result<Vec<String>> {
    let barcodes: Vec<String> = sqlx::query_scalar(
        "(select barcode from stock_plate where role = 'library' order by barcode limit 30)
         union all
         (select barcode from stock_plate where role = 'assay' order by barcode limit 30)",
    )
    .fetch_all(pool)
    .await?;
    if barcodes.is_empty() {
        bail!("the stock is empty");
    }
    Ok(barcodes)
}

/// At most sixty of them, spread over all.
async fn some(pool: &PgPool, project: Uuid, all: &'static str) -> anyhow::Result<Vec<Uuid>> {
    let all: Vec<Uuid> = sqlx::query_scalar(all).bind(project).fetch_all(pool).await?;
    let step = all.len().div_ceil(60).max(1);
    Ok(all.into_iter().step_by(step).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_that_is_named_here_is_described() {
        let described = described().expect("a description");
        let named = QUERIES.iter().map(|(path, _)| *path).chain(NOT_PAGES).chain(FOR_ADMINS);
        for path in named {
            assert!(described.iter().any(|route| route == path), "{path}");
        }
    }

    #[test]
    fn every_page_can_be_asked() {
        for route in described().expect("a description") {
            let asked = route.replace("{id}", "").replace("{name}", "").replace("{barcode}", "");
            let is_page = !NOT_PAGES.contains(&route.as_str());
            assert!(!(is_page && asked.contains('{')), "{route}: say what is asked about, or leave it out");
        }
    }
}
