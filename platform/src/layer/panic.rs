//! A panicking handler answers INTERNAL and takes nothing else down.

use std::any::Any;

use holdfast_contracts::common::v1::Reason;
use tonic::body::Body;
use tower_http::catch_panic::CatchPanicLayer;

use crate::status::Refusal;

/// Makes the answer out of the panic's payload.
type Answer = fn(Box<dyn Any + Send>) -> http::Response<Body>;

pub fn layer() -> CatchPanicLayer<Answer> {
    CatchPanicLayer::custom(answer as Answer)
}

fn answer(panic: Box<dyn Any + Send>) -> http::Response<Body> {
    let cause = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    tracing::error!(cause, "a handler panicked");
    tonic::Status::from(Refusal::new(Reason::Internal, "something went wrong on our side")).into_http()
}
