//! Backups: PostgreSQL and the blobs, of one moment, and the way back.
//!
//! ```text
//! DIR/lock                                one backup at a time
//! DIR/blobs/ab/cd/<sha256>                shared by all backups, each copied once
//! DIR/<name>/manifest.json                written last: without it there is no backup
//!           /database.dump                pg_dump's custom format
//!           /blobs.txt                    which blobs belong to it
//!           /channel.key                  opens the channels' secrets; readable by its owner alone
//! DIR/.taking-<name>/                     a backup that was cut off; removed by the next
//! ```
//!
//! Blobs are written before their rows and never removed, so those of one snapshot are all there when it is taken.
//! Each file is written aside, fsynced and renamed; a kill at any line leaves the last good backup good.
//!
//! A restore changes the database in one transaction, which also begins another life of it
//! (`migrations/0013_lives.sql`): robots are given no work before they have told what they did since.

mod files;
mod manifest;
mod restore;
mod take;
mod tools;
mod verify;

pub use manifest::Manifest;
pub use restore::{Restore, Restored, restore};
pub use take::{Take, take};
pub use verify::{ChannelKey, channel_key, find, verify};
