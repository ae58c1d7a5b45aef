//! What must rebuild the crate beside its own sources: new migration files, and (where it goes into the binary) the
//! built web app.
fn main() {
    println!("cargo:rerun-if-changed=../migrations");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed=../web/dist");
    } else {
        // A development build reads the folder as it is then; it only has to be there now, or rust-embed takes it for
        // missing for good. A read-only checkout goes without.
        let _ = std::fs::create_dir_all("../web/dist");
    }
}
