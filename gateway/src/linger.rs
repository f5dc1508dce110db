//! A lingering close. A request refused before its body was read leaves that body in the socket; closing then makes
//! the kernel reset the connection, and the refusal is lost on its way. So the write side is closed first, and what
//! still arrives is thrown away for a moment.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long the rest of a request is thrown away.
const LINGER: Duration = Duration::from_secs(2);
const SCRATCH_BYTES: usize = 16 << 10;

#[derive(Debug)]
pub(crate) struct Lingering<S> {
    socket: S,
    closing: Option<Closing>,
}

#[derive(Debug)]
struct Closing {
    until: Pin<Box<Sleep>>,
    scratch: Box<[u8]>,
    write_closed: bool,
}

impl<S> Lingering<S> {
    pub(crate) fn new(socket: S) -> Self {
        Self { socket, closing: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { socket, closing } = &mut *self;
        let closing = closing.get_or_insert_with(|| Closing {
            until: Box::pin(sleep(LINGER)),
            scratch: vec![0; SCRATCH_BYTES].into(),
            write_closed: false,
        });
        if !closing.write_closed {
            ready!(Pin::new(&mut *socket).poll_shutdown(cx))?;
            closing.write_closed = true;
        }
        loop {
            if closing.until.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut scratch = ReadBuf::new(&mut closing.scratch);
            match ready!(Pin::new(&mut *socket).poll_read(cx, &mut scratch)) {
                Ok(()) if !scratch.filled().is_empty() => {}
                // The peer is done, or gone: nothing is left to lose.
                Ok(()) | Err(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}
