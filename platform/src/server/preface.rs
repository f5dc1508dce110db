//! Whether a peer speaks HTTP/2 at all: one that begins and then says nothing must not keep its connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;

/// What every client sends first: `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`. Whether it is that is HTTP/2's to say.
const PREFACE_BYTES: usize = 24;

/// A connection that tells once so many bytes have come.
#[derive(Debug)]
pub(super) struct Prefaced<I> {
    io: I,
    bytes_missing: usize,
    came: CancellationToken,
}

impl<I> Prefaced<I> {
    /// Cancels `came` when the preface has come.
    pub(super) fn new(io: I, came: CancellationToken) -> Self {
        Self { io, bytes_missing: PREFACE_BYTES, came }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Prefaced<I> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, buffer))?;
        if this.bytes_missing > 0 {
            this.bytes_missing = this.bytes_missing.saturating_sub(buffer.filled().len() - before);
            if this.bytes_missing == 0 {
                this.came.cancel();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Prefaced<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
