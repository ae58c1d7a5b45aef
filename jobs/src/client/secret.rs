//! The bearer token: read from a file, never shown.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A text that must not reach logs. `Debug` hides it.
#[derive(Clone)]
pub struct Secret(Arc<str>);

/// No token in the file.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    #[error("could not read the token file {path}: check that it exists and that this user may read it")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the token file {path} holds no token: write the token into it as one line of printable text")]
    Empty { path: PathBuf },
}

impl Secret {
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The token in `path`: its one line, blanks around it dropped.
    pub fn from_file(path: &Path) -> Result<Self, SecretFileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SecretFileError::Read { path: path.to_owned(), source })?;
        let token = text.trim();
        if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
            return Err(SecretFileError::Empty { path: path.to_owned() });
        }
        Ok(Self::new(token))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_shown() {
        assert_eq!(format!("{:?}", Secret::new("lw_abc")), "Secret(..)");
    }

    #[test]
    fn a_token_file_needs_one_line_of_printable_text() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "lw_abc\n").unwrap();
        assert_eq!(Secret::from_file(&path).unwrap().expose(), "lw_abc");
        for bad in ["", " \n", "two words", "two\nlines"] {
            std::fs::write(&path, bad).unwrap();
            assert!(Secret::from_file(&path).is_err(), "{bad:?}");
        }
    }
}
