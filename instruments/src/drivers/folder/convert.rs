//! A program that makes readable what a device exports, e.g. allotropy: another process, since it may do anything.

use super::settings::Convert;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// More than this is not taken from a converter.
const LARGEST_OUTPUT: u64 = 64 << 20;
/// Of what it complains about, at most this much is passed on.
const LARGEST_COMPLAINT: u64 = 64 << 10;

#[derive(Debug, thiserror::Error)]
pub(super) enum ConvertError {
    #[error("the file could not be laid before it: {0}")]
    Copy(#[source] std::io::Error),
    #[error("{program} could not be started: {source}")]
    Start {
        program: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{program} did not end within {seconds} s")]
    Slow { program: String, seconds: f64 },
    #[error("{program} failed ({status}): {said}")]
    Failed { program: String, status: String, said: String },
    #[error("{program} wrote {problem}")]
    Output { program: String, problem: &'static str },
}

/// What `convert` makes of `bytes`, which came as a file called `name`.
pub(super) async fn convert(convert: &Convert, name: &str, bytes: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let folder = Folder::fresh().map_err(ConvertError::Copy)?;
    let copy = folder.0.join(name);
    tokio::fs::write(&copy, bytes).await.map_err(ConvertError::Copy)?;
    let limit = Duration::from_secs_f64(convert.within_seconds);
    let (program, arguments) =
        convert.command.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    match tokio::time::timeout(limit, run(program, arguments, &copy)).await {
        Ok(done) => done,
        Err(_) => Err(ConvertError::Slow { program: program.to_owned(), seconds: convert.within_seconds }),
    }
}

async fn run(program: &str, arguments: &[String], copy: &Path) -> Result<Vec<u8>, ConvertError> {
    let named = || program.to_owned();
    let start = |source| ConvertError::Start { program: named(), source };
    let mut child = Command::new(program)
        .args(arguments)
        .arg(copy)
        // What is secret here is not for it.
        .env_remove("LOOPWRIGHT_TOKEN_FILE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(start)?;
    let (mut output, mut complaint) = (Vec::new(), Vec::new());
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let read = async {
        if let Some(out) = out {
            out.take(LARGEST_OUTPUT + 1).read_to_end(&mut output).await?;
        }
        std::io::Result::Ok(())
    };
    let listen = async {
        if let Some(err) = err {
            let mut kept = err.take(LARGEST_COMPLAINT);
            kept.read_to_end(&mut complaint).await?;
            // The rest is drained, or it would wait for somebody to read it.
            tokio::io::copy(&mut kept.into_inner(), &mut tokio::io::sink()).await?;
        }
        std::io::Result::Ok(())
    };
    tokio::try_join!(read, listen).map_err(start)?;
    if output.len() as u64 > LARGEST_OUTPUT {
        return Err(ConvertError::Output { program: named(), problem: "more than 64 MiB" });
    }
    let status = child.wait().await.map_err(start)?;
    if !status.success() {
        return Err(ConvertError::Failed {
            program: named(),
            status: status.to_string(),
            said: last_words(&complaint),
        });
    }
    if output.is_empty() {
        return Err(ConvertError::Output { program: named(), problem: "nothing" });
    }
    Ok(output)
}

/// The last line that says something, as an exception's message is.
fn last_words(complaint: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaint);
    let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
    last.map_or_else(|| "it says nothing".to_owned(), |line| line.chars().take(300).collect())
}

/// Of nobody else; gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn fresh() -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = std::env::temp_dir().join(format!("loopwright-convert-{}", uuid::Uuid::new_v4()));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "a converter's folder stays behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::folder::settings::ResultForm;

    fn shell(script: &str, within_seconds: f64) -> Convert {
        let command = ["/bin/sh", "-c", script, "convert"].map(str::to_owned).into();
        Convert { command, form: ResultForm::PlateCsv, names_plate: false, within_seconds }
    }

    #[tokio::test]
    async fn what_it_writes_is_the_file_and_its_name_is_kept() {
        let script = "basename \"$1\"; cat \"$1\"; echo a warning >&2";
        let written = convert(&shell(script, 10.0), "P-1.xlsx", b"bytes").await.unwrap();
        assert_eq!(written, b"P-1.xlsx\nbytes");
    }

    #[tokio::test]
    async fn whatever_goes_wrong_is_said() {
        let said = async |script: &str, seconds: f64| {
            convert(&shell(script, seconds), "x", b"").await.unwrap_err().to_string()
        };
        assert_eq!(
            said("echo one >&2; echo KeyError: plate >&2; exit 3", 10.0).await,
            "/bin/sh failed (exit status: 3): KeyError: plate"
        );
        assert_eq!(said("true", 10.0).await, "/bin/sh wrote nothing");
        assert_eq!(said("sleep 60", 0.05).await, "/bin/sh did not end within 0.05 s");
        let missing = Convert { command: vec!["/no/such/program".to_owned()], ..shell("", 1.0) };
        let missing = convert(&missing, "x", b"").await.unwrap_err().to_string();
        assert!(missing.starts_with("/no/such/program could not be started"), "{missing}");
    }

    #[tokio::test]
    async fn a_converter_that_complains_without_end_does_not_hang() {
        let script = "head -c 3000000 /dev/zero >&2; echo done";
        assert_eq!(convert(&shell(script, 30.0), "x", b"").await.unwrap(), b"done\n");
    }
}
