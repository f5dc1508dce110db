//! What goes out and what comes back.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tonic::Status;

/// A request's body.
#[derive(Debug)]
pub(super) enum RequestBody {
    /// One frame.
    Whole(Option<Bytes>),
    /// A first frame, then the rest.
    Begun(Option<Bytes>, tonic::body::Body),
    Stream(tonic::body::Body),
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Begun(first, rest) => match first.take() {
                Some(first) => Poll::Ready(Some(Ok(Frame::data(first)))),
                None => Pin::new(rest).poll_frame(cx),
            },
            Self::Stream(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Begun(first, rest) => first.is_none() && rest.is_end_stream(),
            Self::Stream(body) => body.is_end_stream(),
        }
    }

    // No size is told: a `content-length` is not part of gRPC.
    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// A response's body whose first frame was already looked at.
#[derive(Debug)]
pub(super) struct Peeked<B> {
    pub(super) first: Option<Frame<Bytes>>,
    pub(super) rest: B,
}

impl<B: Body<Data = Bytes, Error = Status> + Unpin> Body for Peeked<B> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        match this.first.take() {
            Some(first) => Poll::Ready(Some(Ok(first))),
            None => Poll::Ready(ready!(Pin::new(&mut this.rest).poll_frame(cx))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }
}
