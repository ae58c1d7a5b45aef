//! A request on its way into the device's folder, and out of it again.

use super::name::{Pattern, TemplateError, Words};
use super::settings::{Request, TakenBy};
use super::share::{Share, ShareError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Where requests stand ready, inside the device's folder: on the same file system, or a rename would not do.
const READY: &str = ".loopwright";

/// One attempt's request.
pub(super) struct Asked<'a> {
    share: &'a Share,
    request: &'a Request,
    id: String,
    name: String,
    /// Names of all requests, whatever they are for.
    every: Pattern,
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Still ours: the device was never asked.
    Ready,
    /// In the device's folder.
    Lying,
    /// Not there any more.
    Gone,
}

impl<'a> Asked<'a> {
    pub fn new(
        share: &'a Share,
        request: &'a Request,
        id: &str,
        words: &Words,
    ) -> Result<Self, TemplateError> {
        let stars = Words::of([("barcode", "*".to_owned()), ("id", "*".to_owned())]);
        let every = Pattern::of_all(&request.name, &stars)?;
        Ok(Self { share, request, id: id.to_owned(), name: words.fill(&request.name)?, every })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    fn ready_path(&self) -> PathBuf {
        self.request.folder.join(READY).join(&self.id)
    }

    pub fn path(&self) -> PathBuf {
        self.request.folder.join(&self.name)
    }

    /// Writes it where the device does not look.
    pub async fn make_ready(&self, text: String) -> Result<(), ShareError> {
        let work = move |path: &Path| {
            let folder = path.parent().unwrap_or(path);
            // Not its parents: where a share is not mounted nothing may be made in its place.
            match std::fs::create_dir(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            let mut file = std::fs::File::create(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            sync_folder(folder)
        };
        self.share.run("write the request", &self.ready_path(), work).await
    }

    /// Takes away what an earlier attempt has left lying, and what stood ready. What is given to the device next has to be
    /// all that it finds.
    pub async fn clear_earlier(&self) -> Result<Vec<String>, ShareError> {
        let (pattern, ready, id) = (self.every.clone(), self.request.folder.join(READY), self.id.clone());
        let work = move |folder: &Path| {
            let mut taken = Vec::new();
            for name in file_names(folder)? {
                if pattern.fits(&name) && discard(&folder.join(&name), &ready)? {
                    taken.push(name);
                }
            }
            for name in file_names(&ready)? {
                if name != id {
                    std::fs::remove_file(ready.join(name))?;
                }
            }
            Ok(taken)
        };
        self.share.run("clear the folder of requests", &self.request.folder, work).await
    }

    /// Gives it to the device.
    pub async fn drop_in(&self) -> Result<(), ShareError> {
        let to = self.path();
        let work = move |ready: &Path| {
            std::fs::rename(ready, &to)?;
            sync_folder(to.parent().unwrap_or(&to))
        };
        self.share.run("give the request to the device", &self.ready_path(), work).await
    }

    pub async fn standing(&self) -> Result<Standing, ShareError> {
        let (ready, folder) = (self.ready_path(), self.request.folder.clone());
        let work = move |path: &Path| {
            // Of a folder that is not there nothing is known.
            std::fs::metadata(&folder)?;
            Ok(if ready.try_exists()? {
                Standing::Ready
            } else if path.try_exists()? {
                Standing::Lying
            } else {
                Standing::Gone
            })
        };
        self.share.run("look for the request", &self.path(), work).await
    }

    /// Whether that it lies there says that the device has not begun.
    pub fn can_be_taken_back(&self) -> bool {
        self.request.taken_by == TakenBy::Moving
    }

    /// Takes it back from the device's folder to where it stood ready, and leaves it there: its place goes on telling the truth.
    /// Whether it is there now.
    pub async fn take_back(&self) -> Result<bool, ShareError> {
        let ready = self.ready_path();
        let work = move |path: &Path| match std::fs::rename(path, &ready) {
            Ok(()) => Ok(true),
            // An earlier try may have been too slow for us, and done it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::metadata(path.parent().unwrap_or(path))?;
                ready.try_exists()
            }
            Err(error) => Err(error),
        };
        self.share.run("take the request back", &self.path(), work).await
    }

    /// Throws it away where it lies: the device is done with it.
    pub async fn discard(&self) -> Result<(), ShareError> {
        let ready = self.request.folder.join(READY);
        let work = move |path: &Path| discard(path, &ready).map(drop);
        self.share.run("throw the request away", &self.path(), work).await
    }
}

/// By a rename, which either the device's or ours succeeds; whether it was ours.
fn discard(path: &Path, ready: &Path) -> io::Result<bool> {
    let aside = ready.join(".thrown-away");
    match std::fs::rename(path, &aside) {
        Ok(()) => {
            std::fs::remove_file(&aside)?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Plain files; hidden ones are nobody's.
fn file_names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file()
            && let Ok(name) = entry.file_name().into_string()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// A share may not know how.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match std::fs::File::open(folder)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        done => done,
    }
}
