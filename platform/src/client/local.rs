//! The last step to a service in this process.

use std::convert::Infallible;

use http_body_util::BodyExt as _;
use tonic::body::Body;
use tonic::service::Routes;
use tower::ServiceExt as _;

use super::answer;
use super::body::RequestBody;
use super::outgoing::Outgoing;
use super::step::{Sent, Step};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Local {
    routes: Routes,
}

impl Local {
    pub(super) fn new(routes: Routes) -> Self {
        Self { routes: routes.prepare() }
    }
}

impl Step for Local {
    type Body = Body;

    async fn send(&self, call: &Outgoing) -> Sent<Body> {
        let Some(request) = call.request() else { unreachable!("a call in this process is sent once") };
        let request = request.map(|body| match body {
            RequestBody::Stream(body) => body,
            body @ (RequestBody::Whole(_) | RequestBody::Begun(..)) => Body::new(body.boxed_unsync()),
        });
        let answered: Result<_, Infallible> = self.routes.clone().oneshot(request).await;
        match answered {
            Ok(response) => Ok(answer::unseen(response)),
            Err(never) => match never {},
        }
    }
}
