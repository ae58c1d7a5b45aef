//! The robot's own disk: one JSON file for each protocol, data file and run, replaced as a whole.
//!
//! A run is written when it is made and when it ends. One that is found without its end was under way
//! when the robot was killed: what it did is lost to the robot (the world remembers).

use crate::steps::Step;
use crate::world::log::replace_file;
use instruments::crash::{self, Moment};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{doing} {path}")]
    Io {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} is broken")]
    Broken {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
}

pub struct Storage {
    root: PathBuf,
}

/// What is kept, each kind in a folder of its own.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Protocol,
    DataFile,
    Run,
}

impl Kind {
    fn folder(self) -> &'static str {
        match self {
            Self::Protocol => "protocols",
            Self::DataFile => "data_files",
            Self::Run => "runs",
        }
    }
}

impl Storage {
    pub fn open(root: PathBuf) -> Result<Self, Error> {
        for kind in [Kind::Protocol, Kind::DataFile, Kind::Run] {
            let folder = root.join(kind.folder());
            fs::create_dir_all(&folder).map_err(io_error("making", &folder))?;
        }
        Ok(Self { root })
    }

    pub fn save<T: Serialize>(&self, kind: Kind, id: &str, thing: &T) -> Result<(), Error> {
        let step = Step::of_kept(kind);
        crash::blocking_point(step, Moment::Before);
        let path = self.path(kind, id);
        let bytes =
            serde_json::to_vec(thing).map_err(|source| Error::Broken { path: path.clone(), source })?;
        replace_file(&path, &bytes).map_err(io_error("writing", &path))?;
        crash::blocking_point(step, Moment::After);
        Ok(())
    }

    /// Gone afterwards, whether or not it was there.
    pub fn remove(&self, kind: Kind, id: &str) -> Result<(), Error> {
        let path = self.path(kind, id);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("removing", &path)(error)),
            _ => Ok(()),
        }
    }

    pub fn load<T: DeserializeOwned>(&self, kind: Kind) -> Result<Vec<T>, Error> {
        let folder = self.root.join(kind.folder());
        let mut things = Vec::new();
        for entry in fs::read_dir(&folder).map_err(io_error("listing", &folder))? {
            let path = entry.map_err(io_error("listing", &folder))?.path();
            // A draft that was never finished has another ending.
            if path.extension().is_some_and(|extension| extension == "json") {
                let bytes = fs::read(&path).map_err(io_error("reading", &path))?;
                things.push(serde_json::from_slice(&bytes).map_err(|source| Error::Broken { path, source })?);
            }
        }
        Ok(things)
    }

    fn path(&self, kind: Kind, id: &str) -> PathBuf {
        self.root.join(kind.folder()).join(format!("{id}.json"))
    }
}

fn io_error<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Error + 'a {
    move |source| Error::Io { doing, path: path.to_owned(), source }
}
