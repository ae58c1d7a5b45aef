//! Content-addressed files. Bytes lie in an object store under their SHA-256; the row says that they are
//! there, whole.
//!
//! An upload is streamed beside its place, hashed on the way, and moved there only when the hash is the
//! name it was sent under. The row comes last: what has a row has its bytes.

use super::error::{Error, Result};
use crate::ids::{ActorId, UploadId};
use ::jobs::Digest;
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use sha2::Digest as _;
use sqlx::{PgConnection, PgPool};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// The blob store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// The folder of a local store: what is renamed into it must also reach the disk before the row says so.
    folder: Option<PathBuf>,
    limit_bytes: u64,
}

/// How an upload ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    Stored,
    /// The same bytes were there.
    AlreadyThere,
    /// The bytes hash to something else; nothing was kept.
    Mismatch {
        actual: Digest,
    },
    /// More than the limit; nothing was kept.
    TooLarge {
        limit_bytes: u64,
    },
    /// The sender broke off; nothing was kept.
    Interrupted {
        detail: String,
    },
}

/// What is known of a blob without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    pub size_bytes: u64,
    pub media_type: String,
}

const PART_BYTES: usize = 8 << 20;
/// Of a body that nobody needs so much is taken all the same: a connection that is closed on unread bytes can lose the
/// answer. Workers send no more than this without asking first.
const TAKEN_FOR_NOTHING_BYTES: usize = 64 << 10;
/// Blobs looked at in one sample.
const SAMPLE: i64 = 4;
/// Parts of one upload being written at the same time.
const PARTS_IN_FLIGHT: usize = 4;

async fn pass_over<E>(body: impl Stream<Item = std::result::Result<Bytes, E>>) {
    let (mut body, mut bytes) = (std::pin::pin!(body), 0);
    while bytes <= TAKEN_FOR_NOTHING_BYTES {
        let Some(Ok(chunk)) = body.next().await else { return };
        bytes += chunk.len();
    }
}

impl Blobs {
    /// A store in the local folder `dir`, made when absent. Blobs above `limit_bytes` are refused.
    pub fn local(dir: &Path, limit_bytes: u64) -> Result<Self> {
        let unusable = |source| Error::BlobStore { doing: "opened its folder", source };
        std::fs::create_dir_all(dir).map_err(|source| {
            unusable(object_store::Error::Generic { store: "local", source: Box::new(source) })
        })?;
        let store = LocalFileSystem::new_with_prefix(dir).map_err(unusable)?.with_automatic_cleanup(true);
        Ok(Self { store: Arc::new(store), folder: Some(dir.to_owned()), limit_bytes })
    }

    /// Stores what `body` brings as `expected`. Takes a connection only when the bytes are in place.
    pub async fn put<E: Display>(
        &self,
        pool: &PgPool,
        expected: Digest,
        media_type: &str,
        by: ActorId,
        body: impl Stream<Item = std::result::Result<Bytes, E>> + Send,
    ) -> Result<Put> {
        let failed = |source| Error::BlobStore { doing: "wrote a blob", source };
        if self.has(pool, expected).await? {
            pass_over(body).await;
            return Ok(Put::AlreadyThere);
        }
        let upload = self.store.put_multipart(&place(expected)).await.map_err(failed)?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        let size_bytes = match self.receive(&mut upload, expected, body).await? {
            Ok(size_bytes) => size_bytes,
            Err(refused) => {
                upload.abort().await.map_err(failed)?;
                return Ok(refused);
            }
        };
        upload.finish().await.map_err(failed)?;
        self.make_durable(expected).await?;
        enter(&mut *pool.acquire().await?, expected, size_bytes, media_type, by).await?;
        Ok(Put::Stored)
    }

    /// Waits until the file and its entry in the folder are on the disk: a power cut after the acknowledgement
    /// must not lose what a robot has thrown away since.
    async fn make_durable(&self, digest: Digest) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let folder = folder.clone();
        let synced = tokio::task::spawn_blocking(move || {
            let path = folder.join(place(digest).as_ref());
            // The file, and each folder that may have been made for it.
            path.ancestors()
                .take_while(|place| place.starts_with(&folder))
                .try_for_each(|place| std::fs::File::open(place)?.sync_all())
        })
        .await
        .unwrap_or_else(|panicked| Err(std::io::Error::other(panicked)));
        synced.map_err(|source| Error::BlobStore {
            doing: "made a blob durable",
            source: object_store::Error::Generic { store: "local", source: Box::new(source) },
        })
    }

    /// The inner error is an ending that keeps nothing.
    async fn receive<E: Display>(
        &self,
        upload: &mut WriteMultipart,
        expected: Digest,
        body: impl Stream<Item = std::result::Result<Bytes, E>> + Send,
    ) -> Result<std::result::Result<u64, Put>> {
        let mut hasher = sha2::Sha256::new();
        let mut size_bytes: u64 = 0;
        let mut body = std::pin::pin!(body);
        while let Some(chunk) = body.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => return Ok(Err(Put::Interrupted { detail: error.to_string() })),
            };
            size_bytes += chunk.len() as u64;
            if size_bytes > self.limit_bytes {
                return Ok(Err(Put::TooLarge { limit_bytes: self.limit_bytes }));
            }
            hasher.update(&chunk);
            upload
                .wait_for_capacity(PARTS_IN_FLIGHT)
                .await
                .map_err(|source| Error::BlobStore { doing: "wrote a blob", source })?;
            upload.put(chunk);
        }
        let actual = Digest(hasher.finalize().into());
        if actual == expected { Ok(Ok(size_bytes)) } else { Ok(Err(Put::Mismatch { actual })) }
    }

    /// Stores `bytes` under their own digest.
    pub async fn put_bytes(
        &self,
        pool: &PgPool,
        bytes: Bytes,
        media_type: &str,
        by: ActorId,
    ) -> Result<Digest> {
        let digest = Digest::of(&bytes);
        let body = stream::iter([Ok::<_, std::convert::Infallible>(bytes)]);
        match self.put(pool, digest, media_type, by, body).await? {
            Put::Stored | Put::AlreadyThere => Ok(digest),
            refused => Err(Error::Refused(format!("the blob could not be stored: {refused:?}"))),
        }
    }

    /// The bytes as they come from the store; `None` when it has none of that name.
    pub async fn stream(
        &self,
        digest: Digest,
    ) -> Result<Option<impl Stream<Item = Result<Bytes>> + Send + use<>>> {
        let failed = |source| Error::BlobStore { doing: "read a blob", source };
        match self.store.get(&place(digest)).await {
            Ok(found) => Ok(Some(found.into_stream().map_err(failed))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(failed(source)),
        }
    }

    /// Whether the blob is there, row and bytes.
    pub async fn has(&self, pool: &PgPool, digest: Digest) -> Result<bool> {
        let known = describe(&mut *pool.acquire().await?, digest).await?.is_some();
        Ok(known && self.store.head(&place(digest)).await.is_ok())
    }

    /// Larger blobs are refused.
    pub fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    /// Keeps a part of an upload.
    pub(super) async fn put_part(&self, upload: UploadId, object: Uuid, part: Bytes) -> Result<()> {
        let failed = |source| Error::BlobStore { doing: "wrote a part of an upload", source };
        self.store.put(&place_of_part(upload, object), part.into()).await.map(drop).map_err(failed)
    }

    pub(super) async fn delete_part(&self, upload: UploadId, object: Uuid) -> Result<()> {
        gone(self.store.delete(&place_of_part(upload, object)).await)
    }

    /// Also those that no row knows: written, and then the process died.
    pub(super) async fn delete_parts(&self, upload: UploadId) -> Result<()> {
        let failed = |source| Error::BlobStore { doing: "listed the parts of an upload", source };
        let parts: Vec<_> =
            self.store.list(Some(&place_of_parts(upload))).try_collect().await.map_err(failed)?;
        for part in parts {
            gone(self.store.delete(&part.location).await)?;
        }
        Ok(())
    }

    /// The bytes of `objects`, one after the other.
    pub(super) fn stream_parts(
        &self,
        upload: UploadId,
        objects: Vec<Uuid>,
    ) -> impl Stream<Item = object_store::Result<Bytes>> + Send + use<> {
        let store = self.store.clone();
        let each = move |object| {
            let store = store.clone();
            async move {
                store.get(&place_of_part(upload, object)).await.map(object_store::GetResult::into_stream)
            }
        };
        stream::iter(objects).then(each).try_flatten()
    }

    /// Writes a small object and removes it.
    pub async fn probe(&self) -> Result<()> {
        let place = ObjectPath::from(format!("probe/{}", Uuid::now_v7()));
        let failed = |doing| move |source| Error::BlobStore { doing, source };
        self.store.put(&place, Bytes::from_static(b"probe").into()).await.map_err(failed("wrote a probe"))?;
        self.store.delete(&place).await.map_err(failed("removed a probe"))
    }

    /// Bytes free where the blobs lie; `None` for a bucket, or when it cannot be told.
    pub fn free_bytes(&self) -> Option<u64> {
        free_bytes(self.folder.as_deref()?)
    }

    /// Reads a few blobs of those that are known, as a sample, and says what is wrong with them.
    pub async fn sample(&self, pool: &PgPool) -> Result<Vec<String>> {
        let from = rand::random::<[u8; 32]>();
        let mut conn = pool.acquire().await?;
        let known = sqlx::query_scalar!(
            "(select sha256 from blob where sha256 >= $1 and size_bytes < 16777216 order by sha256 limit $2)
             union
             (select sha256 from blob where size_bytes < 16777216 order by sha256 limit 1)",
            from.as_slice(),
            SAMPLE
        )
        .fetch_all(&mut *conn)
        .await?;
        drop(conn);
        let mut wrong = Vec::new();
        for sha256 in known.into_iter().flatten() {
            let digest = crate::store::moved::digest(&sha256)?;
            if let Err(error) = self.read(digest).await {
                wrong.push(format!("blob {digest}: {}", error.with_sources()));
            }
        }
        Ok(wrong)
    }

    /// All the bytes, checked against their name.
    pub async fn read(&self, digest: Digest) -> Result<Bytes> {
        let failed = |source| Error::BlobStore { doing: "read a blob", source };
        let found = match self.store.get(&place(digest)).await {
            Err(object_store::Error::NotFound { .. }) => return Err(Error::not_found("blob", digest)),
            other => other.map_err(failed)?,
        };
        let bytes = found.bytes().await.map_err(failed)?;
        if Digest::of(&bytes) != digest {
            return Err(Error::corrupt("blob", format!("{digest} has other bytes than its name says")));
        }
        Ok(bytes)
    }
}

/// Bytes free for whoever is not root on the disk of `folder`; `None` when it cannot be told.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// Two levels of folders, so that none grows too long.
fn place(digest: Digest) -> ObjectPath {
    let name = digest.to_string();
    let (first, rest) = name.split_at(2);
    let second = rest.get(..2).unwrap_or(rest);
    ObjectPath::from(format!("{first}/{second}/{name}"))
}

fn place_of_parts(upload: UploadId) -> ObjectPath {
    ObjectPath::from(format!("uploads/{upload}"))
}

fn place_of_part(upload: UploadId, object: Uuid) -> ObjectPath {
    place_of_parts(upload).join(object.to_string())
}

/// What is to be gone, and is.
fn gone(deleted: object_store::Result<()>) -> Result<()> {
    match deleted {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(source) => Err(Error::BlobStore { doing: "removed a part of an upload", source }),
    }
}

/// Size and media type; `None` when there is no such blob.
pub async fn describe(conn: &mut PgConnection, digest: Digest) -> Result<Option<Described>> {
    let row = sqlx::query!("select size_bytes, media_type from blob where sha256 = $1", digest.0.as_slice())
        .fetch_optional(conn)
        .await?;
    row.map(|row| {
        let size_bytes = u64::try_from(row.size_bytes).map_err(|error| Error::corrupt("blob size", error))?;
        Ok(Described { size_bytes, media_type: row.media_type })
    })
    .transpose()
}

async fn enter(
    conn: &mut PgConnection,
    digest: Digest,
    size_bytes: u64,
    media_type: &str,
    by: ActorId,
) -> Result<()> {
    let size_bytes = i64::try_from(size_bytes).map_err(|error| Error::corrupt("blob size", error))?;
    sqlx::query!(
        "insert into blob (sha256, size_bytes, media_type, created_by)
         values ($1, $2, $3, $4)
         on conflict (sha256) do nothing",
        digest.0.as_slice(),
        size_bytes,
        media_type,
        by.0
    )
    .execute(conn)
    .await?;
    Ok(())
}
