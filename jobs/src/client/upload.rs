//! Large blobs in parts: a connection that breaks costs one part at the most.

use super::{Client, Error};
use crate::blob::Digest;
use crate::wire::{NewUpload, UPLOAD_OFFSET_HEADER, UploadState};
use bytes::Bytes;
use reqwest::Method;

/// Larger blobs are sent in parts of this size (smaller ones where the server takes only those).
pub const PART_BYTES: usize = 4 << 20;

impl Client {
    /// Asks how far it came, and sends the rest. It does not retry: whoever calls again goes on where it was.
    pub(super) async fn upload(&self, digest: Digest, bytes: Bytes) -> Result<Digest, Error> {
        let doing = "store a blob";
        let new = NewUpload { sha256: digest, size_bytes: bytes.len() as u64, media_type: None };
        let asked = self.send(doing, self.small(self.post("/api/v1/uploads", &new))).await?;
        let mut state: UploadState = self.decode(doing, asked).await?;
        while let Some(id) = state.id {
            let unintelligible = |why: &str| Error::Unintelligible { doing, why: why.to_owned() };
            let from = usize::try_from(state.received_bytes).ok().filter(|from| *from <= bytes.len());
            let from = from.ok_or_else(|| unintelligible("it stands beyond the end of the blob"))?;
            let largest =
                usize::try_from(state.largest_part_bytes).unwrap_or(usize::MAX).clamp(1, PART_BYTES);
            let to = bytes.len().min(from.saturating_add(largest));
            let call = self
                .request(Method::PATCH, &format!("/api/v1/uploads/{id}"))
                .header(UPLOAD_OFFSET_HEADER, from)
                .header(reqwest::header::CONTENT_TYPE, "application/octet-stream")
                .timeout(self.inner.timeouts.blob)
                .body(bytes.slice(from..to));
            let answer = self.send(doing, call).await.map_err(begin_again)?;
            let next: UploadState = self.decode(doing, answer).await?;
            if !next.stored && next.received_bytes <= state.received_bytes {
                return Err(unintelligible("a part was sent, and the upload stands where it was"));
            }
            state = next;
        }
        if state.stored {
            Ok(digest)
        } else {
            Err(Error::Unintelligible { doing, why: "no upload was named".into() })
        }
    }
}

/// The upload was cleared away, stands elsewhere, or lost the part on its way: asked anew, the server says how far it
/// came.
fn begin_again(error: Error) -> Error {
    match error {
        Error::Refused { doing, status: 400 | 404 | 412, detail, .. } => {
            Error::Unreachable { doing, why: detail }
        }
        other => other,
    }
}
