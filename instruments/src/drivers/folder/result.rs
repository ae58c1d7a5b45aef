//! Which file in the folder of results is this job's, and when it is whole.

use super::convert::ConvertError;
use super::name::Pattern;
use super::share::{Share, ShareError};
use std::collections::{BTreeSet, HashMap};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// Files of fitting names that are kept in mind; beyond them, somebody has to tidy up.
const MOST_FILES: usize = 5_000;
/// Larger files are nobody's readings ([`parsers`](crate::parsers) reads no more).
const LARGEST_FILE: u64 = 64 << 20;
/// How much longer than settled a file has that cannot be read, before it is taken for what it is.
const UNREADABLE_PATIENCE: u32 = 20;

/// One state of one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    name: String,
    length: u64,
    modified: SystemTime,
}

/// States of files from before the request: none of them is its result. As they are written down: 16 hexadecimal digits each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Before(BTreeSet<u64>);

/// Whether a file is this job's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Ours,
    /// Ours, and it may still be written: its time is longer.
    Incomplete,
    /// Whosever it is, it may still be written. Ours in the end where its name says so.
    Unreadable,
    /// Why not.
    Others(String),
}

/// A result, whole.
#[derive(Debug)]
pub(super) struct Found {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
    /// What a converter has made of it, where somebody has asked.
    pub converted: Option<Result<Vec<u8>, ConvertError>>,
    version: Version,
}

/// Looks for one job's result again and again.
pub(super) struct Search {
    share: Share,
    folder: PathBuf,
    pattern: Pattern,
    settled: Duration,
    before: Before,
    /// Since when each is as it is.
    since: HashMap<String, (Version, Instant)>,
    /// Looked into, and not ours.
    others: BTreeSet<Version>,
    /// Which of them was the last, and why.
    passed_over: Option<String>,
}

impl Version {
    fn digest(&self) -> u64 {
        use sha2::{Digest as _, Sha256};
        let at = self.modified.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let said = format!("{}\0{}\0{at}", self.name, self.length);
        let hash = Sha256::digest(said.as_bytes());
        hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

impl std::fmt::Display for Before {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|digest| write!(f, "{digest:016x}"))
    }
}

impl Before {
    /// `None`: not what [`Display`](std::fmt::Display) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (digests, rest) = text.as_bytes().as_chunks::<16>();
        let number = |digits: &[u8; 16]| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        rest.is_empty().then(|| digests.iter().map(number).collect::<Option<_>>().map(Self)).flatten()
    }
}

impl Search {
    pub fn new(share: &Share, folder: &Path, pattern: Pattern, settled: Duration) -> Self {
        Self {
            share: share.clone(),
            folder: folder.to_owned(),
            pattern,
            settled,
            passed_over: None,
            before: Before::default(),
            since: HashMap::new(),
            others: BTreeSet::new(),
        }
    }

    /// What lies there now, none of which will be the result.
    pub async fn look_before(&self) -> Result<Before, ShareError> {
        Ok(Before(self.list(MOST_FILES).await?.iter().map(Version::digest).collect()))
    }

    /// A file that cannot be the result, whatever it says.
    pub fn pass_over(&mut self, found: Found, why: &str) {
        tracing::warn!(file = %found.path.display(), why, "not this job's result");
        self.passed_over = Some(format!("{}: {why}", found.path.display()));
        self.others.insert(found.version);
    }

    /// The last file that was not ours, and why.
    pub fn passed_over(&self) -> Option<&str> {
        self.passed_over.as_deref()
    }

    pub fn after(self, before: Before) -> Self {
        Self { before, ..self }
    }

    async fn list(&self, most: usize) -> Result<Vec<Version>, ShareError> {
        let pattern = self.pattern.clone();
        let work = move |folder: &Path| {
            let mut versions = Vec::new();
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                if name.starts_with(['.', '~']) || !pattern.fits(&name) {
                    continue;
                }
                let metadata = match entry.metadata() {
                    // Gone meanwhile.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    metadata => metadata?,
                };
                if !metadata.is_file() {
                    continue;
                }
                versions.push(Version { name, length: metadata.len(), modified: metadata.modified()? });
                if versions.len() > most {
                    let why = format!("more than {most} files fit {pattern}: move old ones away");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                }
            }
            Ok(versions)
        };
        self.share.run("look for results", &self.folder, work).await
    }

    /// The result, if it is there and whole. `judge`: of its bytes.
    pub async fn look(
        &mut self,
        judge: &(dyn Fn(&[u8]) -> Verdict + Send + Sync),
    ) -> Result<Option<Found>, ShareError> {
        let mut there = self.list(2 * MOST_FILES).await?;
        let mut failed = None;
        there.retain(|version| {
            version.length > 0 && !self.before.0.contains(&version.digest()) && !self.others.contains(version)
        });
        self.since.retain(|name, _| there.iter().any(|version| version.name == *name));
        there.sort_by_key(|version| std::cmp::Reverse(version.modified));
        for version in there {
            let Some(age) = self.unchanged_for(&version) else { continue };
            if version.length > LARGEST_FILE {
                tracing::warn!(file = version.name, "it is larger than any result");
                self.others.insert(version);
                continue;
            }
            let path = self.folder.join(&version.name);
            let bytes = match self.read(&path, &version).await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => continue,
                // One that cannot be opened does not hide the others.
                Err(error) => {
                    failed = Some(error);
                    continue;
                }
            };
            let has_had_its_time = age >= self.settled * UNREADABLE_PATIENCE;
            let found = Found { path, bytes, converted: None, version };
            match judge(&found.bytes) {
                Verdict::Ours => return Ok(Some(found)),
                Verdict::Incomplete if has_had_its_time => return Ok(Some(found)),
                Verdict::Unreadable if has_had_its_time && self.pattern.is_narrow() => {
                    return Ok(Some(found));
                }
                Verdict::Unreadable if has_had_its_time => self.pass_over(found, "it cannot be read"),
                Verdict::Incomplete | Verdict::Unreadable => {}
                Verdict::Others(why) => self.pass_over(found, &why),
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        Ok(None)
    }

    /// How long it has been as it is; `None` while that is not long enough.
    fn unchanged_for(&mut self, version: &Version) -> Option<Duration> {
        let now = Instant::now();
        let (known, since) = self.since.entry(version.name.clone()).or_insert_with(|| (version.clone(), now));
        if known != version {
            (*known, *since) = (version.clone(), now);
        }
        let age = now.duration_since(*since);
        (age >= self.settled).then_some(age)
    }

    /// `None`: it is another one meanwhile.
    async fn read(&self, path: &Path, version: &Version) -> Result<Option<Vec<u8>>, ShareError> {
        let version = version.clone();
        let work = move |path: &Path| {
            let mut bytes = Vec::new();
            match std::fs::File::open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                file => file?.take(LARGEST_FILE).read_to_end(&mut bytes)?,
            };
            let metadata = std::fs::metadata(path)?;
            let same = metadata.modified()? == version.modified && bytes.len() as u64 == version.length;
            Ok(same.then_some(bytes))
        };
        self.share.run("read the result", path, work).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::folder::name::Words;

    fn search(folder: &Path, settled: Duration) -> Search {
        let words = Words::of([("barcode", "P-1".to_owned()), ("id", "7".to_owned())]);
        let pattern = Pattern::of("*{barcode}*.csv", &words).unwrap();
        Search::new(&Share::new(Duration::from_secs(5)), folder, pattern, settled)
    }

    fn ours(_: &[u8]) -> Verdict {
        Verdict::Ours
    }

    #[tokio::test]
    async fn what_was_there_before_is_no_result_until_it_is_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("P-1.csv");
        std::fs::write(&file, "old").unwrap();
        let search = search(folder.path(), Duration::ZERO);
        let before = search.look_before().await.unwrap();
        // As it comes back from a disk.
        let before = Before::parse(&before.to_string()).unwrap();
        assert_eq!(before.0.len(), 1);
        let mut search = search.after(before);
        assert!(search.look(&ours).await.unwrap().is_none());
        std::fs::write(&file, "newer").unwrap();
        assert_eq!(search.look(&ours).await.unwrap().unwrap().bytes, b"newer");
    }

    #[test]
    fn only_what_was_written_down_is_read_back() {
        assert_eq!(Before::parse(""), Some(Before::default()));
        assert_eq!(Before::parse("00000000000000ff"), Some(Before([255].into())));
        assert_eq!(Before::parse("00000000000000f"), None);
        assert_eq!(Before::parse("00000000000000fg"), None);
    }

    #[tokio::test]
    async fn a_file_that_still_grows_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let mut search = search(folder.path(), Duration::from_millis(80));
        let file = folder.path().join("P-1.csv");
        for length in 1..5 {
            std::fs::write(&file, "x".repeat(length)).unwrap();
            assert!(search.look(&ours).await.unwrap().is_none(), "{length}");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        let found = loop {
            if let Some(found) = search.look(&ours).await.unwrap() {
                break found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert_eq!(found.bytes, b"xxxx");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_has_more_time_and_is_taken_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut search = search(folder.path(), Duration::from_millis(10));
        std::fs::write(folder.path().join("P-1.csv"), "half a").unwrap();
        let began = std::time::Instant::now();
        let found = loop {
            if let Some(found) = search.look(&|_| Verdict::Unreadable).await.unwrap() {
                break found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert!(began.elapsed() >= Duration::from_millis(200));
        assert_eq!(found.bytes, b"half a");
    }

    #[tokio::test]
    async fn empty_hidden_and_other_plates_files_and_folders_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("P-12.csv", "x"),
            (".P-1.csv", "x"),
            ("P-1.csv", ""),
            ("P-1.csv.part", "x"),
            ("P-1 other.csv", "other"),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        std::fs::create_dir(folder.path().join("P-1.old.csv")).unwrap();
        let mut search = search(folder.path(), Duration::ZERO);
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let others = |bytes: &[u8]| {
            assert_eq!(bytes, b"other");
            asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Verdict::Others("of plate P-9".to_owned())
        };
        for _ in 0..3 {
            assert!(search.look(&others).await.unwrap().is_none());
        }
        assert_eq!(asked.into_inner(), 1, "it is looked into once");
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_an_error_and_not_empty() {
        let folder = tempfile::tempdir().unwrap();
        let mut search = search(&folder.path().join("unmounted"), Duration::ZERO);
        assert!(search.look(&ours).await.unwrap_err().to_string().contains("unmounted"));
    }
}
