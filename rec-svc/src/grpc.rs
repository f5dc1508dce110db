//! The gRPC face: protobuf to domain and back, errors to statuses.

mod event;
mod recommendation;
mod status;

pub(crate) use recommendation::Recommendations;
