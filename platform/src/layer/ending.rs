//! A response body that ends with a status once a future says so, be it in the middle of a stream.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

/// Resolves when the stream must end, to what its caller is told.
type End = Pin<Box<dyn Future<Output = Status> + Send>>;

/// See the module. Ends between messages, never within one: the runtime gives every message as one frame.
pub(crate) struct Ending {
    /// Until the end: the stream, and what ends it.
    open: Option<(Body, End)>,
}

impl Ending {
    /// This body, ended with what `end` resolves to unless it ends by itself before.
    pub(crate) fn of(body: Body, end: impl Future<Output = Status> + Send + 'static) -> Body {
        Body::new(Self { open: Some((body, Box::pin(end))) })
    }
}

impl http_body::Body for Ending {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some((body, end)) = &mut self.open else { return Poll::Ready(None) };
        // The end first: a stream that always has something to say would not hear of it.
        if let Poll::Ready(status) = end.as_mut().poll(cx) {
            // What made the stream is dropped before its caller hears of the end.
            self.open = None;
            return Poll::Ready(Some(trailers(&status)));
        }
        Pin::new(body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.open.as_ref().is_none_or(|(body, _)| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

fn trailers(status: &Status) -> Result<Frame<Bytes>, Status> {
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers)?;
    Ok(Frame::trailers(trailers))
}
