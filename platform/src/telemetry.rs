//! What a process tells of itself: metrics (`registry`), traces (`trace`, `span`, `export`) and logs (`log`).

pub mod docs;
pub mod export;
pub mod family;
pub mod histogram;
pub mod label;
pub mod log;
pub mod metrics;
pub mod registry;
pub mod rpc;
pub mod span;
pub mod trace;
pub mod value;

pub use log::{LevelError, LogFormat, init, level, set_level};
pub use registry::{CONTENT_TYPE, render};
