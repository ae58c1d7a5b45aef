//! The record as proof: what its privileges and its chain hold, and that every act is in it.

mod acts;
mod chain;
mod export;
mod privileges;
