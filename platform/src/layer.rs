//! Tower layers every gRPC server runs under, one a file.

pub mod call;
pub mod observe;
pub mod panic;
pub mod reason;
