//! Gives the binary and the tests an rpath to libtorch, so that they run from any folder.
//!
//! Reads only `LIBTORCH` (as tch does; `.cargo/config.toml` gives the project's own, an exported one
//! wins), `LIBTORCH_LIB` if it is set apart, and asks for a rerun only when one of the two changes.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    println!("cargo:rerun-if-env-changed=LIBTORCH_LIB");
    println!("cargo:rerun-if-changed=build.rs");
    let root = env::var_os("LIBTORCH_LIB").or_else(|| env::var_os("LIBTORCH"));
    if let Some(root) = root.map(PathBuf::from) {
        // The link through which it was named is kept: the project-local one can be moved and remade.
        let lib = std::path::absolute(root.join("lib")).unwrap_or_else(|_| root.join("lib"));
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
    }
    // A CUDA build of libtorch is found through symbols that nothing here names.
    println!("cargo:rustc-link-arg=-Wl,--no-as-needed");
    println!("cargo:rustc-link-arg=-ltorch");
}
