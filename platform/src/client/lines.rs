//! The connections of one endpoint: one for calls, which end soon, and some for streams, which last. A server takes so
//! many streams on one connection, and hyper's client holds up whatever comes behind a stream that finds no room: those
//! who listen for long must not stand in the way of those who do not.

use hyper::client::conn::http2::SendRequest;
use tokio::time::Instant;

use super::body::RequestBody;
use super::endpoint::RECONNECT_PAUSE_MIN;

/// How many calls one endpoint may have under way, waiting for their turn included.
const CALLS_MAX: usize = 8192;
/// How many streams one connection carries: fewer than our servers take (1,024), which know later than we do of an end.
const STREAMS_MAX: usize = 1000;
/// How many connections there may be for streams: each is made once those before it are full.
const STREAM_LINES: usize = 5;
/// The first is the calls'.
pub(super) const LINES: usize = 1 + STREAM_LINES;
/// The calls' own.
pub(super) const CALLS: usize = 0;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One answer.
    Call,
    /// As long as somebody listens.
    Stream,
}

/// How far a connection is.
#[derive(Debug, Default)]
pub(super) enum Link {
    #[default]
    Idle,
    Connecting,
    Ready(SendRequest<RequestBody>),
    Failed {
        at: Instant,
    },
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Lines {
    lines: [Line; LINES],
    /// Whether the last attempt to connect, or the one before a lost connection, came to nothing.
    has_failed: bool,
}

#[derive(Debug, Default)]
struct Line {
    link: Link,
    /// What is under way on it, or on the connections before.
    used: usize,
}

/// Whether there is room for one more, and on which line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    On(usize),
    /// Once this one is connected.
    Coming(usize),
    None,
}

impl Lines {
    pub(super) fn set(&mut self, line: usize, link: Link) {
        match link {
            Link::Ready(_) => self.has_failed = false,
            Link::Failed { .. } => self.has_failed = true,
            Link::Idle | Link::Connecting => {}
        }
        self.lines[line].link = link;
    }

    /// Where none is connected, only the first that has room is: one that cannot be reached is not tried on every line.
    pub(super) fn room(&self, kind: Kind, now: Instant) -> Room {
        let (first, max) = match kind {
            Kind::Call => (CALLS, CALLS_MAX),
            Kind::Stream => (CALLS + 1, STREAMS_MAX),
        };
        let lines = self.of(kind).iter().zip(first..);
        let mut with_room = lines.filter(|(line, _)| line.used < max).peekable();
        let Some((next, number)) = with_room.peek().copied() else { return Room::None };
        if let Some((_, ready)) = with_room.find(|(line, _)| line.link.is_ready()) {
            return Room::On(ready);
        }
        match next.link {
            Link::Failed { at } if now < at + RECONNECT_PAUSE_MIN => Room::None,
            // One that is ready no more knows of its closing before its keeper does.
            _ => Room::Coming(number),
        }
    }

    /// One more on this line, which has room: whoever takes its connection [`give`](Self::give)s it back.
    pub(super) fn take(&mut self, line: usize) -> Option<SendRequest<RequestBody>> {
        let Line { link: Link::Ready(connection), used } = &mut self.lines[line] else { return None };
        *used += 1;
        Some(connection.clone())
    }

    pub(super) fn give(&mut self, line: usize) {
        self.lines[line].used -= 1;
    }

    /// How many are under way.
    pub(super) fn used(&self, kind: Kind) -> usize {
        self.of(kind).iter().map(|line| line.used).sum()
    }

    /// Whether nothing is connected, and cannot be.
    pub(super) fn is_cut_off(&self) -> bool {
        self.has_failed && !self.lines.iter().any(|line| line.link.is_ready())
    }

    fn of(&self, kind: Kind) -> &[Line] {
        let (calls, streams) = self.lines.split_at(CALLS + 1);
        match kind {
            Kind::Call => calls,
            Kind::Stream => streams,
        }
    }
}

impl Link {
    fn is_ready(&self) -> bool {
        matches!(self, Self::Ready(connection) if !connection.is_closed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_fill_their_lines_one_by_one_and_never_the_calls() {
        let (mut lines, now) = (Lines::default(), Instant::now());
        for line in CALLS + 1..LINES {
            assert_eq!(lines.room(Kind::Stream, now), Room::Coming(line));
            lines.lines[line].used = STREAMS_MAX;
        }
        assert_eq!(lines.room(Kind::Stream, now), Room::None, "refused, not queued");
        assert_eq!(lines.room(Kind::Call, now), Room::Coming(CALLS));
        assert_eq!((lines.used(Kind::Call), lines.used(Kind::Stream)), (0, STREAM_LINES * STREAMS_MAX));
    }

    #[test]
    fn one_that_cannot_be_reached_is_tried_again_after_a_pause_and_not_on_every_line() {
        let (mut lines, now) = (Lines::default(), Instant::now());
        assert!(!lines.is_cut_off(), "nobody has tried");
        lines.set(CALLS + 1, Link::Failed { at: now });
        assert!(lines.is_cut_off());
        assert_eq!(lines.room(Kind::Stream, now), Room::None);
        assert_eq!(lines.room(Kind::Stream, now + RECONNECT_PAUSE_MIN), Room::Coming(CALLS + 1));
        lines.set(CALLS + 1, Link::Connecting);
        assert!(lines.is_cut_off(), "trying is not reaching");
    }
}
