//! Uploads in parts: what has arrived stays, whoever breaks off.
//!
//! The parts lie in the blob store below `uploads/`, and the rows say how far it came: so any replica over the
//! same database and blob store goes on with what another began. When all has arrived, the parts go through the
//! same door as a whole blob ([`Blobs::put`]), which checks the hash; then upload and parts are gone. What is left alone
//! for a day is cleared away.
//!
//! Bounds: an upload is no larger than a blob, a part no larger than [`LARGEST_PART_BYTES`], and nobody has more
//! than [`MOST_OPEN`] open.

use super::blobs::{Blobs, Put};
use super::error::{Error, Result};
use crate::ids::{ActorId, UploadId};
use ::jobs::Digest;
use bytes::Bytes;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// A part is in memory while it is received.
pub const LARGEST_PART_BYTES: u64 = 8 << 20;
/// Open uploads of one actor.
pub const MOST_OPEN: i64 = 32;
/// Abandoned uploads cleared away in one go.
const SWEPT: i64 = 50;

/// A blob on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub id: UploadId,
    pub sha256: Digest,
    pub size_bytes: u64,
    pub received_bytes: u64,
    media_type: String,
    by: ActorId,
}

/// How a wish to upload ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Begun now, or before: go on after `received_bytes`.
    Open(Upload),
    /// The blob is there: nothing is to be sent.
    AlreadyThere,
    TooLarge {
        limit_bytes: u64,
    },
    TooMany,
}

/// How the arrival of a part ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is kept; more is to come.
    Part(Upload),
    /// All is there, and is the blob that was promised.
    Whole,
    NotFound,
    /// It begins elsewhere than where the upload stands; nothing changed.
    OffsetDiffers {
        received_bytes: u64,
    },
    /// It goes beyond the size that was promised; nothing changed.
    TooLong {
        size_bytes: u64,
    },
    /// All is there, and hashes to something else: the upload is gone.
    Mismatch {
        actual: Digest,
    },
}

/// Begins to upload what hashes to `expected`, or finds what the same actor began.
pub async fn begin(
    pool: &PgPool,
    blobs: &Blobs,
    expected: Digest,
    size_bytes: u64,
    media_type: &str,
    by: ActorId,
) -> Result<Begun> {
    if blobs.has(pool, expected).await? {
        return Ok(Begun::AlreadyThere);
    }
    if size_bytes > blobs.limit_bytes() {
        return Ok(Begun::TooLarge { limit_bytes: blobs.limit_bytes() });
    }
    let begun = of_blob(&mut *pool.acquire().await?, expected, by).await?;
    if let Some(begun) = begun {
        if begun.size_bytes == size_bytes {
            return Ok(Begun::Open(begun));
        }
        // One of the two sizes is wrong; who sends now knows what it has.
        discard(pool, blobs, begun.id).await?;
    }
    let mut conn = pool.acquire().await?;
    if open_of(&mut conn, by).await? >= MOST_OPEN {
        return Ok(Begun::TooMany);
    }
    enter(&mut conn, expected, size_bytes, media_type, by).await?;
    let begun = of_blob(&mut conn, expected, by).await?;
    begun.map(Begun::Open).ok_or_else(|| Error::Contended(sqlx::Error::RowNotFound))
}

/// Keeps `part`, which begins at `offset_bytes`. With the last one the blob is made; an empty part at the end makes
/// it when that was cut off.
pub async fn receive(
    pool: &PgPool,
    blobs: &Blobs,
    id: UploadId,
    by: ActorId,
    offset_bytes: u64,
    part: Bytes,
) -> Result<Received> {
    let Some(mut upload) = by_id(&mut *pool.acquire().await?, id, by).await? else {
        return Ok(Received::NotFound);
    };
    if upload.received_bytes != offset_bytes {
        return Ok(Received::OffsetDiffers { received_bytes: upload.received_bytes });
    }
    if offset_bytes + part.len() as u64 > upload.size_bytes {
        return Ok(Received::TooLong { size_bytes: upload.size_bytes });
    }
    if !part.is_empty() {
        let object = Uuid::now_v7();
        let size_bytes = part.len() as u64;
        blobs.put_part(id, object, part).await?;
        if !count_part(pool, &upload, size_bytes, object).await? {
            blobs.delete_part(id, object).await?;
            let now = by_id(&mut *pool.acquire().await?, id, by).await?;
            return Ok(now.map_or(Received::NotFound, |now| Received::OffsetDiffers {
                received_bytes: now.received_bytes,
            }));
        }
        upload.received_bytes += size_bytes;
    }
    if upload.received_bytes < upload.size_bytes {
        Ok(Received::Part(upload))
    } else {
        make(pool, blobs, upload).await
    }
}

/// The parts, one after the other, as a blob.
async fn make(pool: &PgPool, blobs: &Blobs, upload: Upload) -> Result<Received> {
    let objects = objects_of(&mut *pool.acquire().await?, upload.id).await?;
    let parts = blobs.stream_parts(upload.id, objects);
    let put = blobs.put(pool, upload.sha256, &upload.media_type, upload.by, parts).await?;
    let received = match put {
        Put::Stored | Put::AlreadyThere => Received::Whole,
        Put::Mismatch { actual } => Received::Mismatch { actual },
        // Another made it of the same parts at the same moment, or the store does not answer: begin shows which.
        Put::Interrupted { .. } | Put::TooLarge { .. } => {
            return Err(Error::Contended(sqlx::Error::RowNotFound));
        }
    };
    discard(pool, blobs, upload.id).await?;
    Ok(received)
}

/// Clears away what nobody has gone on with for a day. Answers how many.
pub async fn sweep(pool: &PgPool, blobs: &Blobs) -> Result<usize> {
    let abandoned = sqlx::query_scalar!(
        "select id from upload where touched_at < now() - interval '1 day' order by touched_at limit $1",
        SWEPT
    )
    .fetch_all(&mut *pool.acquire().await?)
    .await?;
    for id in &abandoned {
        discard(pool, blobs, UploadId(*id)).await?;
    }
    Ok(abandoned.len())
}

/// The parts first: what has a row is found again.
async fn discard(pool: &PgPool, blobs: &Blobs, id: UploadId) -> Result<()> {
    blobs.delete_parts(id).await?;
    sqlx::query!("delete from upload where id = $1", id.0).execute(&mut *pool.acquire().await?).await?;
    Ok(())
}

/// `false`: the upload stands elsewhere by now.
async fn count_part(pool: &PgPool, upload: &Upload, size_bytes: u64, object: Uuid) -> Result<bool> {
    let (offset, size) = (whole(upload.received_bytes)?, whole(size_bytes)?);
    let counted = sqlx::query!(
        "with moved as (
             update upload set received_bytes = received_bytes + $3, touched_at = now()
             where id = $1 and received_bytes = $2
             returning id
         )
         insert into upload_part (upload_id, offset_bytes, size_bytes, object)
         select id, $2, $3, $4 from moved",
        upload.id.0,
        offset,
        size,
        object
    )
    .execute(&mut *pool.acquire().await?)
    .await?;
    Ok(counted.rows_affected() == 1)
}

async fn enter(
    conn: &mut PgConnection,
    expected: Digest,
    size_bytes: u64,
    media_type: &str,
    by: ActorId,
) -> Result<()> {
    sqlx::query!(
        "insert into upload (id, sha256, size_bytes, media_type, created_by)
         values ($1, $2, $3, $4, $5)
         on conflict on constraint upload_one_of_an_actor do nothing",
        UploadId::fresh().0,
        expected.0.as_slice(),
        whole(size_bytes)?,
        media_type,
        by.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn open_of(conn: &mut PgConnection, by: ActorId) -> Result<i64> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "open!" from upload where created_by = $1"#, by.0)
        .fetch_one(conn)
        .await?)
}

/// In their order.
async fn objects_of(conn: &mut PgConnection, id: UploadId) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!("select object from upload_part where upload_id = $1 order by offset_bytes", id.0)
        .fetch_all(conn)
        .await?)
}

async fn of_blob(conn: &mut PgConnection, sha256: Digest, by: ActorId) -> Result<Option<Upload>> {
    let id = sqlx::query_scalar!(
        "select id from upload where sha256 = $1 and created_by = $2",
        sha256.0.as_slice(),
        by.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    match id {
        None => Ok(None),
        Some(id) => by_id(conn, UploadId(id), by).await,
    }
}

async fn by_id(conn: &mut PgConnection, id: UploadId, by: ActorId) -> Result<Option<Upload>> {
    let row = sqlx::query!(
        "select sha256, size_bytes, received_bytes, media_type from upload where id = $1 and created_by = $2",
        id.0,
        by.0
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let bytes = |number: i64| u64::try_from(number).map_err(|error| Error::corrupt("upload size", error));
        Ok(Upload {
            id,
            sha256: super::moved::digest(&row.sha256)?,
            size_bytes: bytes(row.size_bytes)?,
            received_bytes: bytes(row.received_bytes)?,
            media_type: row.media_type,
            by,
        })
    })
    .transpose()
}

fn whole(bytes: u64) -> Result<i64> {
    i64::try_from(bytes).map_err(|_| Error::Refused(format!("{bytes} bytes are more than any blob has")))
}
