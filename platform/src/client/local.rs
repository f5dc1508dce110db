//! The last step to a service in this process.

use std::convert::Infallible;

use http_body_util::BodyExt as _;
use tonic::body::Body;
use tower::ServiceExt as _;

use super::answer;
use super::body::RequestBody;
use super::outgoing::Outgoing;
use super::step::{Sent, Step};
use crate::server::Layered;

/// See the module.
#[derive(Debug)]
pub(super) struct Local<S> {
    service: S,
}

impl<S: Layered<Body>> Local<S> {
    pub(super) fn new(service: S) -> Self {
        Self { service }
    }
}

impl<S: Layered<Body>> Step for Local<S> {
    type Body = Body;

    async fn send(&self, call: &Outgoing) -> Sent<Body> {
        let Some(request) = call.request() else { unreachable!("a call in this process is sent once") };
        let request = request.map(|body| match body {
            RequestBody::Stream(body) => body,
            body @ (RequestBody::Whole(_) | RequestBody::Begun(..)) => Body::new(body.boxed_unsync()),
        });
        let answered: Result<_, Infallible> = self.service.clone().oneshot(request).await;
        match answered {
            Ok(response) => Ok(answer::unseen(response)),
            Err(never) => match never {},
        }
    }
}
