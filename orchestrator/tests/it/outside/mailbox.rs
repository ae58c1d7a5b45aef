//! A mail server that takes everything, or refuses with one code: as much SMTP as a client needs to be rid of
//! a letter (RFC 5321).

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    pub from: String,
    pub to: String,
    /// Headers and body as they came.
    pub text: String,
}

pub struct Mailbox {
    pub url: String,
    letters: Arc<Mutex<Vec<Letter>>>,
}

impl Mailbox {
    /// `refusal`: what RCPT is answered with, instead of being taken.
    pub async fn new(refusal: Option<&'static str>) -> Self {
        let letters = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let kept = letters.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = kept.clone();
                tokio::spawn(async move { converse(stream, refusal, &kept).await });
            }
        });
        Self { url, letters }
    }

    pub fn letters(&self) -> Vec<Letter> {
        self.letters.lock().expect("the mailbox lives").clone()
    }
}

async fn converse(
    stream: TcpStream,
    refusal: Option<&'static str>,
    kept: &Mutex<Vec<Letter>>,
) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut letter = Letter::default();
    write.write_all(b"220 mailbox\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let command = line.to_ascii_uppercase();
        let answer = if command.starts_with("MAIL FROM:") {
            letter.from = address(&line);
            "250 go on"
        } else if command.starts_with("RCPT TO:") {
            letter.to = address(&line);
            refusal.unwrap_or("250 go on")
        } else if command == "DATA" {
            write.write_all(b"354 go on\r\n").await?;
            while let Some(line) = lines.next_line().await? {
                if line == "." {
                    break;
                }
                letter.text += line.strip_prefix('.').unwrap_or(&line);
                letter.text.push('\n');
            }
            kept.lock().expect("the mailbox lives").push(std::mem::take(&mut letter));
            "250 taken"
        } else if command == "QUIT" {
            write.write_all(b"221 bye\r\n").await?;
            return Ok(());
        } else {
            "250 mailbox"
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

fn address(line: &str) -> String {
    line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}
