//! Long-running tasks.

pub(crate) mod purchases;
pub(crate) mod tail;
