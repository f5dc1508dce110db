//! Reads server-sent events as a browser does, and remembers the last id.

use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;

use crate::rest::Rest;
use crate::wait::soon;

pub(crate) struct EventSource {
    body: Incoming,
    text: String,
    pub(crate) last_event_id: String,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl EventSource {
    /// Opens a watch; goes on after `last_event_id` where it is not empty.
    pub(crate) async fn open(rest: &Rest, path: &str, last_event_id: &str) -> Self {
        let mut headers = vec![("accept", "text/event-stream")];
        if !last_event_id.is_empty() {
            headers.push(("last-event-id", last_event_id));
        }
        let response = rest.open(Method::GET, path, &headers, Bytes::new()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new(), last_event_id: last_event_id.to_owned() }
    }

    /// The next event; none at a stream's clean end.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            let block = soon("the next event", self.block()).await?;
            let mut event = Event { name: String::new(), data: Value::Null };
            for line in block.lines() {
                match line.split_once(": ") {
                    Some(("id", id)) => self.last_event_id = id.to_owned(),
                    Some(("event", name)) => event.name = name.to_owned(),
                    Some(("data", data)) => event.data = serde_json::from_str(data).expect("JSON"),
                    // Comments, and how long to wait before reconnecting.
                    Some(_) | None => {}
                }
            }
            if !event.data.is_null() {
                return Some(event);
            }
        }
    }

    /// The level's version that the next event tells; panics at anything but a change.
    pub(crate) async fn next_version(&mut self) -> String {
        let event = self.next().await.expect("the watch goes on");
        assert_eq!(event.name, "change", "{event:?}");
        let (movement, level) = (&event.data["change"]["movement"], &event.data["change"]["level"]);
        assert_eq!(movement["version"], level["version"], "{event:?}");
        level["version"].as_str().expect("a version is a string").to_owned()
    }

    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let frame = self.body.frame().await?.expect("not broken").into_data().expect("data");
            self.text += std::str::from_utf8(&frame).expect("whole characters");
        }
    }
}
