//! The service on the wire: protobuf to domain and back, errors to statuses.

mod order;
mod page;
mod place;
mod status;

pub(crate) use order::Api;
