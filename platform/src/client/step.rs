//! A step of the stack: a decision about a call, over the next one. Not `tower::Service`: steps share a call by
//! reference and send it as often as they like, and their futures are nested, not boxed.

use std::future::Future;

use bytes::Bytes;
use http_body::Body;
use tonic::Status;

use super::answer::{Answer, Failure};
use super::outgoing::Outgoing;

/// What one step answers with.
pub(super) type Sent<B> = Result<Answer<B>, Failure>;

/// See the module.
pub(super) trait Step: Send + Sync + 'static {
    type Body: Body<Data = Bytes, Error = Status> + Send + Unpin + 'static;

    fn send(&self, call: &Outgoing) -> impl Future<Output = Sent<Self::Body>> + Send;
}
