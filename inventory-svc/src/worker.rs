//! Long-running tasks.

pub(crate) mod sweeper;
pub(crate) mod tail;
