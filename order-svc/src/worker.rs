//! Long-running tasks.

mod resume;

pub(crate) use resume::resume;
