//! Long-running tasks.

pub(crate) mod experiments;
pub(crate) mod purchases;
pub(crate) mod tail;
