//! The one binary: every service in one process, and the operator's commands.

pub mod command;
mod database;
pub mod mesh;
mod output;
pub mod system;
