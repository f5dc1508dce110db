//! Bodies: what is sent is whole or a stream; what is read is bounded.

use std::convert::Infallible;

use bytes::Bytes;
use holdfast_contracts::common::v1::Reason;
use http_body::Body as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full, LengthLimitError, Limited};

use crate::problem::Problem;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What the gateway answers with.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What the gateway reads.
pub(crate) type RequestBody = UnsyncBoxBody<Bytes, Broken>;

/// A body that ended too early.
#[derive(Debug, thiserror::Error)]
#[error("the body broke off: {0}")]
pub(crate) struct Broken(BoxError);

/// A transport's body as one the gateway reads.
pub(crate) fn incoming<B>(body: B) -> RequestBody
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    body.map_err(|cause| Broken(cause.into())).boxed_unsync()
}

/// A whole body; for HEAD its length alone.
pub(crate) fn full(bytes: Bytes, head: bool) -> Body {
    if head { empty() } else { Full::new(bytes).boxed_unsync() }
}

pub(crate) fn empty() -> Body {
    Empty::new().boxed_unsync()
}

/// Reads a body to its end, or refuses as soon as it is known to be too large.
pub(crate) async fn read(body: RequestBody, bytes_max: usize) -> Result<Bytes, Problem> {
    let too_large = |bytes: Option<u64>| {
        let problem = Problem::new(Reason::RequestTooLarge, format!("the body is larger than {bytes_max} bytes"))
            .with("limit", bytes_max)
            .closing();
        match bytes {
            Some(bytes) => problem.with("bytes", bytes),
            None => problem,
        }
    };
    let announced = body.size_hint().lower();
    if announced > bytes_max as u64 {
        return Err(too_large(Some(announced)));
    }
    match Limited::new(body, bytes_max).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(cause) if cause.is::<LengthLimitError>() => Err(too_large(None)),
        Err(cause) => {
            tracing::debug!(%cause, "a body broke off");
            Err(Problem::new(Reason::MalformedBody, "the body broke off before its end").closing())
        }
    }
}
