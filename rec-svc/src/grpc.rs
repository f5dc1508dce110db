//! The gRPC face: protobuf to domain and back, errors to statuses.

mod event;
mod experiment;
mod recommendation;
mod status;

pub(crate) use experiment::ExperimentDoor;
pub(crate) use recommendation::Recommendations;
