//! The genes of a campaign's design space, with their tags.

use super::Result;
use super::moved::{corrupt, count};
use crate::campaigns::design::TaggedGene;
use crate::ids::CampaignId;
use sqlx::PgConnection;

/// Rows per statement.
const CHUNK: usize = 10_000;
/// Between the tags of a gene, on their way into an array: nothing that a CSV can hold.
const BETWEEN: &str = "\u{1f}";

/// Keeps the genes of one edition.
pub async fn insert(
    conn: &mut PgConnection,
    campaign: CampaignId,
    version: u32,
    genes: &[TaggedGene],
) -> Result<()> {
    for chunk in genes.chunks(CHUNK) {
        let names: Vec<String> = chunk.iter().map(|gene| gene.gene.clone()).collect();
        let tags: Vec<String> = chunk.iter().map(|gene| gene.tags.join(BETWEEN)).collect();
        sqlx::query!(
            "insert into campaign_gene (campaign_id, version, gene, tags)
             select $1, $2, gene, string_to_array(tags, $5)
             from unnest($3::text[], $4::text[]) as given (gene, tags)",
            campaign.0,
            i32::try_from(version).map_err(corrupt)?,
            &names,
            &tags,
            BETWEEN
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Those of `genes` that the design space does not have.
pub async fn unknown(
    conn: &mut PgConnection,
    campaign: CampaignId,
    version: u32,
    genes: &[String],
) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        r#"select asked.gene as "gene!"
           from unnest($3::text[]) with ordinality as asked (gene, place)
           where not exists (
               select from campaign_gene
               where campaign_id = $1 and version = $2 and campaign_gene.gene = asked.gene)
           order by asked.place"#,
        campaign.0,
        i32::try_from(version).map_err(corrupt)?,
        genes
    )
    .fetch_all(conn)
    .await?)
}

/// Those of `tags` that no gene of the design space has.
pub async fn unknown_tags(
    conn: &mut PgConnection,
    campaign: CampaignId,
    version: u32,
    tags: &[String],
) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        r#"select asked.tag as "tag!"
           from unnest($3::text[]) with ordinality as asked (tag, place)
           where not exists (
               select from campaign_gene
               where campaign_id = $1 and version = $2 and campaign_gene.tags @> array[asked.tag])
           order by asked.place"#,
        campaign.0,
        i32::try_from(version).map_err(corrupt)?,
        tags
    )
    .fetch_all(conn)
    .await?)
}

/// How many the design space has.
pub async fn number(conn: &mut PgConnection, campaign: CampaignId, version: u32) -> Result<u32> {
    let number = sqlx::query_scalar!(
        r#"select count(*) as "count!" from campaign_gene where campaign_id = $1 and version = $2"#,
        campaign.0,
        i32::try_from(version).map_err(corrupt)?
    )
    .fetch_one(conn)
    .await?;
    count(number)
}
