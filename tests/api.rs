//! The service, asked as an operator asks it; patient with one that is being killed.

use anyhow::{Context, bail};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const ANSWER: Duration = Duration::from_secs(5);

/// For threads: each call waits for its answer.
pub struct Api {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Api {
    /// Of the demo in `folder`. Errors while that has not written down where it is.
    pub fn of_demo(folder: &Path) -> anyhow::Result<Self> {
        let record: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("demo.json"))?)?;
        let token = std::fs::read_to_string(folder.join("tokens/operator"))?.trim().to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let http = reqwest::Client::builder().timeout(ANSWER).pool_max_idle_per_host(0).build()?;
        Ok(Self { runtime, http, base: format!("http://127.0.0.1:{}", record["port"]), token })
    }

    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        let bytes = self.bytes(path)?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    pub fn bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        self.send(Method::GET, &format!("{}{path}", self.base), None)
    }

    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let bytes = self.send(Method::POST, &format!("{}{path}", self.base), Some(body))?;
        Ok(if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes)? })
    }

    pub fn get_from(&self, url: &str) -> anyhow::Result<Vec<u8>> {
        self.send(Method::GET, url, None)
    }

    /// Another address than the service's, e.g. the bench's control.
    pub fn post_to(&self, url: &str, body: &Value) -> anyhow::Result<()> {
        self.send(Method::POST, url, Some(body)).map(drop)
    }

    fn send(&self, method: Method, url: &str, body: Option<&Value>) -> anyhow::Result<Vec<u8>> {
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body.filter(|body| **body != json!(null)) {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            let answer = request.send().await.with_context(|| format!("{url} does not answer"))?;
            let status = answer.status();
            let bytes = answer.bytes().await?.to_vec();
            if !status.is_success() {
                bail!("{url} says {status}: {}", String::from_utf8_lossy(&bytes));
            }
            Ok(bytes)
        })
    }
}
