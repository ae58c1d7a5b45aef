//! HTTP/1.1 for a thousand workers in one thread: a kept connection, one request after the other.
//!
//! A client on the same machine takes its CPU from the server. This one writes a request in one call, reads the answer
//! in one, and allocates nothing in between. It knows what this service answers: a length, never chunks.

use anyhow::{Context, bail};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than the longest poll.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A kept connection. An answer is read before the next request is sent.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// The request that is sent, the answer that is read.
    request: Vec<u8>,
    answer: Vec<u8>,
    /// Everything of a head but path and length.
    head: String,
}

impl Connection {
    /// Sends `token` with every request.
    pub async fn open(address: SocketAddr, token: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect to the service")?;
        stream.set_nodelay(true)?;
        let head = format!(
            " HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
        );
        Ok(Self { stream, request: Vec::new(), answer: Vec::with_capacity(2048), head })
    }

    /// The answer to `POST path`: its status and body.
    pub async fn post(&mut self, path: &str, body: &str) -> anyhow::Result<(u16, &[u8])> {
        self.write_request("POST", path, body);
        tokio::time::timeout(TIMEOUT, self.exchange()).await.context("the service did not answer")?
    }

    /// The answer to `GET path`.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<(u16, &[u8])> {
        self.write_request("GET", path, "");
        tokio::time::timeout(TIMEOUT, self.exchange()).await.context("the service did not answer")?
    }

    fn write_request(&mut self, method: &str, path: &str, body: &str) {
        let Self { request, head, .. } = self;
        request.clear();
        request.extend_from_slice(method.as_bytes());
        request.push(b' ');
        request.extend_from_slice(path.as_bytes());
        request.extend_from_slice(head.as_bytes());
        request.extend_from_slice(b"content-length: ");
        request.extend_from_slice(body.len().to_string().as_bytes());
        request.extend_from_slice(b"\r\n\r\n");
        request.extend_from_slice(body.as_bytes());
    }

    async fn exchange(&mut self) -> anyhow::Result<(u16, &[u8])> {
        self.stream.write_all(&self.request).await?;
        self.answer.clear();
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                bail!("the service closed the connection");
            }
            if let Some(head) = Head::parse(&self.answer)?
                && self.answer.len() >= head.bytes + head.body_bytes
            {
                return Ok((head.status, &self.answer[head.bytes..head.bytes + head.body_bytes]));
            }
        }
    }
}

/// What the head of an answer says.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Its own length with the empty line.
    bytes: usize,
    body_bytes: usize,
}

impl Head {
    /// `None` while it is not complete.
    fn parse(received: &[u8]) -> anyhow::Result<Option<Self>> {
        let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let text = std::str::from_utf8(&received[..end])?;
        let mut lines = text.split("\r\n");
        let status: u16 = lines
            .next()
            .and_then(|line| line.split(' ').nth(1)?.parse().ok())
            .with_context(|| format!("not an answer: {text:?}"))?;
        let length = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse())
        });
        let body_bytes = match length {
            Some(length) => length?,
            None if status == 204 => 0,
            None => bail!("an answer without its length: {text:?}"),
        };
        Ok(Some(Self { status, bytes: end + 4, body_bytes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_when_its_head_is_complete() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nx: y\r\n\r\nhello";
        assert_eq!(Head::parse(&answer[..40]).expect("no error"), None);
        let head = Head::parse(answer).expect("no error").expect("a head");
        assert_eq!(head, Head { status: 200, bytes: answer.len() - 5, body_bytes: 5 });
    }

    #[test]
    fn nothing_to_do_has_no_body_and_chunks_are_refused() {
        let head = Head::parse(b"HTTP/1.1 204 No Content\r\n\r\n").expect("no error").expect("a head");
        assert_eq!((head.status, head.body_bytes), (204, 0));
        assert!(Head::parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
