//! ExperimentService.

mod define;
mod fold;
mod lab;
mod results;
