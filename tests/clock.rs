//! A wall clock that somebody sets while processes run: a library that is loaded before theirs (`clock.c`).

use crate::laboratory::Laboratory;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

/// Of every process of a laboratory, or of one program's.
pub struct Clock {
    file: std::fs::File,
}

impl Clock {
    /// `None` where there is no C compiler. `only`: the beginning of a program's name.
    pub fn of(laboratory: &mut Laboratory, only: Option<&str>) -> anyhow::Result<Option<Self>> {
        let library = laboratory.path().join("clock.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("clock.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .args(["-ldl"])
            .status();
        if !built.is_ok_and(|status| status.success()) {
            return Ok(None);
        }
        let shift = laboratory.path().join("clock-shift");
        std::fs::write(&shift, 0i64.to_ne_bytes())?;
        let file = std::fs::OpenOptions::new().write(true).open(&shift)?;
        laboratory.environment.push(("LD_PRELOAD".to_owned(), library));
        laboratory.environment.push(("CLOCK_SHIFT".to_owned(), shift));
        if let Some(only) = only {
            laboratory.environment.push(("CLOCK_SHIFT_ONLY".to_owned(), only.into()));
        }
        Ok(Some(Self { file }))
    }

    /// So many seconds ahead of what it is.
    pub fn shift(&self, seconds: i64) -> anyhow::Result<()> {
        Ok(self.file.write_all_at(&seconds.to_ne_bytes(), 0)?)
    }
}
