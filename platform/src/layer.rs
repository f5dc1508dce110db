//! Tower layers every gRPC server runs under, one a file.

pub mod panic;
pub mod reason;
pub mod request_id;
