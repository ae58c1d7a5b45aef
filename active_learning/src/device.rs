//! Where tensors are computed: the only module that names a device.
//!
//! | what | where | why |
//! |---|---|---|
//! | What is said of [`WORTH_MOVING`] experiments or more: columns, lines, forest, readouts, covariances of sets with what was measured and the factor they are solved by, draws, distances of a first batch | [`for_rows`] | the work grows with the pool |
//! | The family `ensemble`, training and all | [`heavy`] | steps of many small products |
//! | Training of lines, forest, sets and readouts; evidence of other screens; held-out folds | [`HOST`] | seconds, in double precision; and a version's bytes are those of its data and seed, whichever learner made it |
//! | Random numbers, checkpoints, whatever becomes a `Vec`; spreading a batch over a shortlist of 3,072 | [`HOST`] | a batch is spread in .02 s |
//!
//! Everything else computes where its inputs are: nothing but this module decides, and a test reads the sources for it.

use crate::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use tch::{Cuda, Device};

/// Where numbers come from and go to, and where they are the same to the bit whatever the machine has.
pub const HOST: Device = Device::Cpu;

/// Fewer experiments are answered sooner where they are: a core scores one edit in 3 to 5 microseconds and one pair in 7
/// to 11 (`make bench`), and some fifty kernels and copies of some ten microseconds each are to be begun whatever the
/// number. By arithmetic, not by measurement on a GPU.
pub const WORTH_MOVING: i64 = 1_024;

/// What whoever starts the program asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Preference {
    /// CUDA where libtorch sees one.
    #[default]
    Auto,
    /// Never CUDA.
    Cpu,
    /// CUDA or an error.
    Cuda,
}

static HOST_ONLY: AtomicBool = AtomicBool::new(false);

/// Decides for the whole process, before anything is computed. Says where heavy work goes.
pub fn prefer(preference: Preference) -> Result<Device> {
    if preference == Preference::Cuda && !Cuda::is_available() {
        return Err(Error::NoCuda);
    }
    HOST_ONLY.store(preference == Preference::Cpu, Ordering::Relaxed);
    Ok(heavy())
}

/// Where work goes that is heavy whatever its size.
pub fn heavy() -> Device {
    if HOST_ONLY.load(Ordering::Relaxed) { HOST } else { Device::cuda_if_available() }
}

/// Where what is said of `count` experiments is computed.
pub fn for_rows(count: i64) -> Device {
    if count < WORTH_MOVING { HOST } else { heavy() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    /// Sources without their tests, by path.
    fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
                found.push((path, code.to_owned()));
            }
        }
    }

    #[test]
    fn nothing_else_names_a_device() {
        let mut found = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        assert!(found.len() > 80, "{} files were read", found.len());
        let names = |code: &str| {
            ["Device::Cpu", "Device::Cuda", "cuda_if_available"].iter().any(|it| code.contains(it))
        };
        let naming: Vec<&Path> =
            found.iter().filter(|(_, code)| names(code)).map(|(path, _)| path.as_path()).collect();
        assert_eq!(naming.len(), 1, "{naming:?}");
        assert!(naming[0].ends_with("src/device.rs"), "{naming:?}");
    }

    #[test]
    fn few_rows_stay_and_many_go_where_heavy_work_goes() {
        assert_eq!(for_rows(WORTH_MOVING - 1), HOST);
        assert_eq!(for_rows(WORTH_MOVING), heavy());
    }

    #[test]
    fn whoever_asks_for_cuda_gets_it_or_hears_why_not() {
        match prefer(Preference::Cuda) {
            Ok(device) => assert!(device.is_cuda()),
            Err(error) => assert!(error.to_string().contains("no CUDA device"), "{error}"),
        }
    }
}
