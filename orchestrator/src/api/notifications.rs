//! What people are told, and who looks after it.

use super::access::{Access, Caller, Routes};
use super::extract::{Json, Path, Query};
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::state::AppState;
use super::unfinished::Begun;
use crate::ids::{CampaignId, NotificationId};
use crate::notifications::acknowledge::acknowledge as acknowledge_in;
use crate::notifications::state::State as Life;
use crate::notifications::{Settings, Severity, Topic};
use crate::store::notifications::{self, Notification};
use crate::store::tokens::Scope;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

/// Whoever may act on what is told.
const ACTORS: &[Scope] = &[Scope::BatchApprove, Scope::PlateDecide, Scope::JobResolve, Scope::CampaignWrite];

pub(super) fn routes() -> Routes {
    Routes::new()
        .route(Access::AnyOf(&[Scope::Read]), routes!(list))
        .route(Access::AnyOf(ACTORS), routes!(acknowledge))
}

/// Something that people are told.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct NotificationRecord {
    id: NotificationId,
    topic: Topic,
    /// At most one is open per cause and subject; the topic's word, or the cause of a task.
    cause: String,
    severity: Severity,
    state: Life,
    title: String,
    message: String,
    /// `batch`, `job`, `instrument`.
    subject: String,
    subject_id: String,
    campaign_id: Option<CampaignId>,
    /// The page about it: absolute where the server knows its own address, else a path.
    link: String,
    opened_at: DateTime<Utc>,
    /// Name of the actor.
    acknowledged_by: Option<String>,
    acknowledged_at: Option<DateTime<Utc>>,
    /// How often it was escalated because nobody acknowledged it.
    escalations: u32,
    closed_at: Option<DateTime<Utc>>,
}

impl NotificationRecord {
    fn of(told: Notification, settings: &Settings) -> Self {
        Self {
            link: settings.link(&told.subject, &told.subject_id),
            id: told.id,
            topic: told.topic,
            cause: told.cause,
            severity: told.severity,
            state: told.state,
            title: told.title,
            message: told.message,
            subject: told.subject,
            subject_id: told.subject_id,
            campaign_id: told.campaign_id,
            opened_at: told.opened_at,
            acknowledged_by: told.acknowledged_by,
            acknowledged_at: told.acknowledged_at,
            escalations: told.escalations,
            closed_at: told.closed_at,
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Only those whose cause is still there (acknowledged or not); `true` when absent.
    open: Option<bool>,
}

/// Notifications, newest first.
#[utoipa::path(get, path = "/notifications", tag = "notifications", params(Wanted, PageQuery),
    responses((status = 200, body = Page<NotificationRecord>)))]
async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<NotificationRecord>>, Problem> {
    let mut conn = state.pool.acquire().await?;
    let open = wanted.open.unwrap_or(true);
    let found = notifications::list(&mut conn, &caller.visible(), open, page.after()?, page.limit()).await?;
    let settings = &state.config.notifications;
    let items = found.into_iter().map(|told| NotificationRecord::of(told, settings)).collect();
    Ok(Json(Page::new(items, &page, |told| told.id)))
}

/// Says that you look after it: it is not escalated any more. One that was acknowledged or closed before is
/// answered as it is.
#[utoipa::path(post, path = "/notifications/{id}/acknowledge", tag = "notifications",
    params(("id" = NotificationId, Path)),
    responses((status = 200, body = NotificationRecord), (status = 404, body = Problem)))]
async fn acknowledge(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<NotificationId>,
) -> Result<Json<NotificationRecord>, Problem> {
    let mut tx = Begun::on(&state.pool).await?;
    acknowledge_in(&mut tx, id, caller.id()).await?;
    let told = notifications::get(&mut tx, id).await?;
    tx.commit().await?;
    Ok(Json(NotificationRecord::of(told, &state.config.notifications)))
}
