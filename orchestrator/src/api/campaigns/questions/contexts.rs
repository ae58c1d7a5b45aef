//! A context that the campaign does not have is asked for on purpose, or not at all: a slip of the pen would be
//! answered, wide and wrong.

use crate::api::problem::Problem;
use crate::ids::CampaignId;
use crate::store::campaigns;
use jobs::Context;
use sqlx::PgConnection;

/// 404 without the campaign; `code` for a context that is none of its own, unless `new_context`.
pub(super) async fn check(
    conn: &mut PgConnection,
    campaign: CampaignId,
    asked: impl IntoIterator<Item = &Context>,
    new_context: bool,
    code: &str,
) -> Result<(), Problem> {
    let missing = || Problem::not_found("campaign", campaign);
    let found = campaigns::by_id(conn, campaign).await?.ok_or_else(missing)?;
    if new_context {
        return Ok(());
    }
    let version = campaigns::version(conn, campaign, found.current_version).await?.ok_or_else(missing)?;
    let known = version.spec.design.contexts;
    match asked.into_iter().find(|context| !known.contains(&context.0)) {
        None => Ok(()),
        Some(stranger) => {
            let detail = format!(
                "The campaign has no context {:?}: it has {}. To ask for a context that it never measures, send \
                 `new_context: true` (`--new-context`).",
                stranger.0,
                known.join(", ")
            );
            Err(Problem::unprocessable(code, detail))
        }
    }
}
