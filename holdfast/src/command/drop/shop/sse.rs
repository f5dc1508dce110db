//! Server-sent events: a stream of answers over plain HTTP.

use std::marker::PhantomData;

use holdfast_contracts::MethodInfo;
use http_body_util::BodyExt as _;

use super::error::CallError;
use super::rest::{Chunks, parse, problem};
use super::rpc::Rpc;

/// The largest event read, in bytes.
const EVENT_BYTES_MAX: usize = 1 << 20;

/// The answers to one request, as they come.
pub(crate) struct EventStream<R> {
    method: MethodInfo,
    body: Chunks,
    lines: Lines,
    answers: PhantomData<fn() -> R>,
}

impl<R: Rpc> EventStream<R> {
    pub(super) fn new(method: MethodInfo, body: Chunks) -> Self {
        Self { method, body, lines: Lines::default(), answers: PhantomData }
    }

    /// The next answer; none where the stream has ended. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Option<R::Answer>, CallError> {
        loop {
            if let Some(event) = self.lines.next_event() {
                if event.name == "error" {
                    let told = || CallError::Lost(String::from_utf8_lossy(&event.data).into_owned());
                    return Err(problem(&event.data, None).unwrap_or_else(told));
                }
                return parse(&self.method, &event.data).map(Some);
            }
            if self.lines.pending.len() > EVENT_BYTES_MAX {
                return Err(CallError::Foreign(format!("an event of more than {EVENT_BYTES_MAX} bytes")));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(CallError::Lost(error.to_string())),
                Some(Ok(frame)) => self.lines.pending.extend(frame.data_ref().into_iter().flatten()),
            }
        }
    }
}

/// One event, as the standard dispatches it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Event {
    name: String,
    data: Vec<u8>,
}

/// Cuts a byte stream into events (WHATWG HTML, 9.2.6), as far as a server of ours uses the format.
#[derive(Debug, Default)]
struct Lines {
    pending: Vec<u8>,
    event: Event,
}

impl Lines {
    fn next_event(&mut self) -> Option<Event> {
        while let Some(end) = self.pending.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                let event = std::mem::take(&mut self.event);
                if !event.data.is_empty() {
                    return Some(event);
                }
                continue;
            }
            let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
            let (field, value) = line.split_at(colon);
            let value = value.strip_prefix(b":").unwrap_or(value);
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match field {
                b"data" => {
                    if !self.event.data.is_empty() {
                        self.event.data.push(b'\n');
                    }
                    self.event.data.extend_from_slice(value);
                }
                b"event" => self.event.name = String::from_utf8_lossy(value).into_owned(),
                // Comments keep the connection open; ids and retry times are not used here: cursors are.
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        let text = b": hello\n\nid: 7\ndata: {\"a\":1}\n\nevent: error\r\ndata: x\r\ndata: y\r\n\r\n";
        let expect = [("", "{\"a\":1}"), ("error", "x\ny")];
        for cut in 1..text.len() {
            let mut lines = Lines::default();
            let mut seen = Vec::new();
            for chunk in text.chunks(cut) {
                lines.pending.extend_from_slice(chunk);
                while let Some(event) = lines.next_event() {
                    seen.push((event.name, String::from_utf8(event.data).expect("text")));
                }
            }
            let seen: Vec<_> = seen.iter().map(|(name, data)| (name.as_str(), data.as_str())).collect();
            assert_eq!(seen, expect, "cut every {cut} bytes");
        }
    }
}
