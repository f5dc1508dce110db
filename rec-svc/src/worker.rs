//! Long-running tasks.

pub(crate) mod tail;
