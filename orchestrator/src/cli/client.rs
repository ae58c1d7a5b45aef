//! The command line's own HTTP client: JSON in, JSON out, problems as sentences.

use anyhow::{Context, anyhow, bail};
use jobs::client::{Client as Sender, Secret, Timeouts};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;

/// A whole campaign may take long; its pieces may not.
const DOWNLOAD: Duration = Duration::from_secs(3600);
const NEXT_PIECE: Duration = Duration::from_secs(90);

/// Speaks to one server as one actor.
#[derive(Clone)]
pub struct Client {
    base: String,
    token: String,
    http: reqwest::Client,
}

/// The server said no, in its own words (RFC 9457).
#[derive(Debug, thiserror::Error)]
#[error("{title}: {detail} [{code}]")]
pub struct Refused {
    pub status: u16,
    pub code: String,
    pub title: String,
    pub detail: String,
}

impl Client {
    /// `base`: e.g. `http://127.0.0.1:8460`; `token_file` holds a bearer token.
    pub fn new(base: &str, token_file: &Path) -> anyhow::Result<Self> {
        let token = std::fs::read_to_string(token_file)
            .with_context(|| format!("cannot read the token file {}", token_file.display()))?;
        Self::with_token(base, token.trim())
    }

    pub fn with_token(base: &str, token: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(120))
            .build()?;
        Ok(Self { base: base.trim_end_matches('/').to_owned(), token: token.to_owned(), http })
    }

    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.json(self.request(Method::GET, path)).await
    }

    pub async fn get_bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        Ok(self.answer(self.request(Method::GET, path)).await?.bytes().await?.to_vec())
    }

    /// A POST that can be repeated safely: it carries a fresh idempotency key.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let key = uuid::Uuid::new_v4().to_string();
        self.json(self.request(Method::POST, path).header("idempotency-key", key).json(body)).await
    }

    /// As [`Client::post`], only if the resource is still at `revision`.
    pub async fn post_if_match(&self, path: &str, revision: i64, body: &Value) -> anyhow::Result<Value> {
        let request = self
            .request(Method::POST, path)
            .header("if-match", format!("\"{revision}\""))
            .header("idempotency-key", uuid::Uuid::new_v4().to_string());
        self.json(request.json(body)).await
    }

    pub async fn post_text(&self, path: &str, media_type: &str, body: String) -> anyhow::Result<Value> {
        self.json(self.request(Method::POST, path).header("content-type", media_type).body(body)).await
    }

    pub async fn put_json(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.json(self.request(Method::PUT, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> anyhow::Result<Value> {
        self.json(self.request(Method::DELETE, path)).await
    }

    /// Stores bytes under their digest; does nothing when the server has them already. Large ones go up in parts: the
    /// command given again after a break sends what is missing.
    pub async fn put_blob(&self, bytes: Vec<u8>) -> anyhow::Result<jobs::Digest> {
        let sender = Sender::new(&self.base, Secret::new(self.token.as_str()), Timeouts::default())?;
        Ok(sender.put_blob(bytes.into()).await?)
    }

    /// The id of the campaign that is meant by its id, or by its name where only one has it.
    pub async fn campaign(&self, meant: &str) -> anyhow::Result<String> {
        if uuid::Uuid::parse_str(meant).is_ok() {
            return Ok(meant.to_owned());
        }
        let (mut found, mut query) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("/api/v1/campaigns{query}")).await?;
            let named = page["items"].as_array().into_iter().flatten().filter(|it| it["name"] == meant);
            found.extend(named.filter_map(|it| it["id"].as_str().map(str::to_owned)));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            query = format!("?cursor={cursor}");
        }
        match found.as_slice() {
            [id] => Ok(id.clone()),
            [] => bail!("there is no campaign {meant}: `loopwright campaign list` shows ids and names"),
            several => {
                bail!("{} campaigns are called {meant}; take an id: {}", several.len(), several.join(", "))
            }
        }
    }

    /// Brings what `path` answers into the file `to`, which is there when all of it has come, and not before. How many
    /// bytes.
    pub async fn download(&self, path: &str, query: &[(&str, &str)], to: &Path) -> anyhow::Result<u64> {
        let request = self.request(Method::GET, path).query(query).timeout(DOWNLOAD);
        let mut response = self.answer(request).await?;
        let aside = aside(to);
        let written = async {
            let mut file = tokio::fs::File::create(&aside).await?;
            let mut bytes = 0;
            while let Some(piece) = next(&mut response).await? {
                file.write_all(&piece).await?;
                bytes += piece.len() as u64;
            }
            file.sync_all().await?;
            tokio::fs::rename(&aside, to).await?;
            Ok(bytes)
        };
        let written: anyhow::Result<u64> = written.await;
        if written.is_err() {
            let _ = tokio::fs::remove_file(&aside).await;
        }
        written.with_context(|| format!("nothing was written to {}", to.display()))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    async fn json(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let text = self.answer(request).await?.text().await?;
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).context("the server's answer is not JSON")
    }

    async fn answer(&self, request: RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let response = request.send().await.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.unwrap_or_default();
        let problem: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let field = |name: &str| problem.get(name).and_then(Value::as_str).map(str::to_owned);
        Err(Refused {
            status: status.as_u16(),
            code: field("code").unwrap_or_else(|| format!("http.{}", status.as_u16())),
            title: field("title")
                .unwrap_or_else(|| status.canonical_reason().unwrap_or("refused").to_owned()),
            detail: field("detail").unwrap_or(text),
        }
        .into())
    }

    fn unreachable(&self, error: reqwest::Error) -> anyhow::Error {
        anyhow!(error).context(format!(
            "cannot reach {}: is `loopwright serve` (or the demo) running there? (--server, LOOPWRIGHT_SERVER)",
            self.base
        ))
    }
}

async fn next(response: &mut reqwest::Response) -> anyhow::Result<Option<bytes::Bytes>> {
    let piece = tokio::time::timeout(NEXT_PIECE, response.chunk()).await;
    piece.context("the server sends nothing any more; ask again")?.context("the answer broke off; ask again")
}

/// Beside `path`: what is not whole yet.
fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}
