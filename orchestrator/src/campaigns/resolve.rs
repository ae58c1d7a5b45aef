//! The files that a campaign names, read for upload. The only I/O beside the campaign file itself.

use super::spec::Spec;
use std::path::{Path, PathBuf};

/// Larger files are refused: they belong in a blob store of their own, not in one request.
pub const LARGEST_FILE_BYTES: u64 = 512 * 1024 * 1024;

/// One file that a campaign names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// As the campaign file writes it.
    pub name: String,
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

/// Every file that a campaign names, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFiles {
    pub genes: NamedFile,
    pub features: Vec<NamedFile>,
    pub priors: Vec<NamedFile>,
}

/// A named file that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    #[error("{field} names {}, which cannot be read; names are relative to the campaign file", path.display())]
    Read {
        field: String,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{field} names {}, which has {bytes} bytes; at most {LARGEST_FILE_BYTES} are taken", path.display())]
    TooLarge { field: String, path: PathBuf, bytes: u64 },
    #[error("{field} names {}, which is not a file", path.display())]
    NotAFile { field: String, path: PathBuf },
    #[error("{field} names {name:?}, which is neither Parquet nor CSV (by its ending)")]
    Format { field: String, name: String },
}

impl ResolveError {
    /// Stable; for interfaces.
    pub fn code(&self) -> &'static str {
        match self {
            ResolveError::Read { .. } => "campaign.file_unreadable",
            ResolveError::TooLarge { .. } => "campaign.file_too_large",
            ResolveError::NotAFile { .. } => "campaign.file_is_none",
            ResolveError::Format { .. } => "campaign.file_format",
        }
    }
}

/// Reads every file that `spec` names. `folder`: where the campaign file lies.
pub fn resolve(spec: &Spec, folder: &Path) -> Result<NamedFiles, ResolveError> {
    let tables = |names: &[String], field: &str| -> Result<Vec<NamedFile>, ResolveError> {
        let named = names.iter().enumerate();
        named.map(|(index, name)| read_table(folder, &format!("{field}[{index}]"), name)).collect()
    };
    Ok(NamedFiles {
        genes: read(folder, "design.genes_file", &spec.design.genes_file)?,
        features: tables(&spec.model.features, "model.features")?,
        priors: tables(&spec.model.priors, "model.priors")?,
    })
}

fn read_table(folder: &Path, field: &str, name: &str) -> Result<NamedFile, ResolveError> {
    let ending = Path::new(name).extension().and_then(|e| e.to_str()).unwrap_or_default();
    if !matches!(ending, "parquet" | "csv") {
        return Err(ResolveError::Format { field: field.to_owned(), name: name.to_owned() });
    }
    read(folder, field, name)
}

fn read(folder: &Path, field: &str, name: &str) -> Result<NamedFile, ResolveError> {
    let path = folder.join(name);
    let unreadable = |source| ResolveError::Read { field: field.to_owned(), path: path.clone(), source };
    let metadata = std::fs::metadata(&path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(ResolveError::NotAFile { field: field.to_owned(), path });
    }
    if metadata.len() > LARGEST_FILE_BYTES {
        return Err(ResolveError::TooLarge { field: field.to_owned(), path, bytes: metadata.len() });
    }
    let bytes = std::fs::read(&path).map_err(unreadable)?;
    Ok(NamedFile { name: name.to_owned(), path, bytes })
}
