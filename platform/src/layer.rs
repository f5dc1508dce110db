//! Tower layers every gRPC server runs under, one a file.

pub mod authorize;
pub mod call;
pub mod deadline;
pub mod drain;
mod ending;
pub mod observe;
pub mod panic;
pub mod reason;
pub mod shed;
