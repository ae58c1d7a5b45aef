//! Devices that are told and tell by files: liquid handlers that take a worklist, readers whose software exports a file.
//!
//! ```text
//! <requests>/.loopwright/<id>  --rename-->  <requests>/<name>   the device's software takes it, or a person does
//!                                           <results>/<name>    appears, stops growing, is read
//! ```
//!
//! - A request stands ready in our own folder before the work begins, and enters the device's by one rename. While it is
//!   still ours, nothing was asked; after a restart its place says which of the two it is.
//! - A result counts when it was not there, or was another file, before the request was made, and when it has stopped
//!   changing. Nothing in the folder of results is ever moved, changed or deleted.
//! - A request that the device has not taken can be taken back, where the device takes its files away
//!   ([`TakenBy::Moving`]): then nothing was begun, for certain. Where it only reads them, nobody knows.
//! - What is asked for is never asked twice: whatever request lies there from before is taken away first.
//!
//! Deliberately absent: notifications of the file system, which shares do not pass on; looking is enough.

mod account;
mod asked;
mod convert;
mod folders;
mod handler;
mod name;
mod reader;
mod request;
mod result;
mod settings;
mod share;

pub use handler::FolderHandler;
pub use reader::FolderReader;
pub use settings::{Settings, SettingsError, TakenBy};
