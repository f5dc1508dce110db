//! Streams as server-sent events.

use std::sync::atomic::Ordering;
use std::time::Duration;

use gateway::Config;
use http::Method;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::Value;

use crate::world::World;

#[derive(Debug, Default, PartialEq)]
struct Event {
    id: Option<String>,
    name: String,
    data: Value,
}

/// Reads events as a browser would.
struct EventSource {
    body: Incoming,
    text: String,
    comments: usize,
}

impl EventSource {
    async fn open(world: &World, path: &str, last_event_id: Option<&str>) -> Self {
        let mut request = world.request(Method::GET, path).header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response =
            world.client.request(request.body(Full::default()).expect("a request")).await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(response.headers().contains_key("x-request-id"));
        Self { body: response.into_body(), text: String::new(), comments: 0 }
    }

    /// The next event; None at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let block = tokio::time::timeout(Duration::from_secs(10), self.block()).await.expect("in time")?;
            let mut event = Event::default();
            for line in block.lines() {
                match line.split_once(':').map(|(name, value)| (name, value.trim_start())) {
                    Some(("id", value)) => event.id = Some(value.to_owned()),
                    Some(("event", value)) => event.name = value.to_owned(),
                    Some(("data", value)) => event.data = serde_json::from_str(value).expect("JSON"),
                    Some(("", _)) => self.comments += 1,
                    Some(("retry", value)) => assert!(value.parse::<u32>().is_ok()),
                    Some(_) | None => panic!("not a line of an event stream: {line:?}"),
                }
            }
            if !event.name.is_empty() || self.comments > 0 {
                return Some(event);
            }
        }
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

#[tokio::test]
async fn events_carry_what_a_browser_needs() {
    for world in [World::start().await, World::over_tcp().await] {
        let mut events = EventSource::open(&world, "/v1/stock:watch?sku=A&sku=B", None).await;
        let reset = events.next().await.expect("a reset");
        assert_eq!((reset.id.as_deref(), reset.name.as_str()), (Some("1"), "reset"));
        assert_eq!(reset.data["reset"]["stocks"][1]["sku"], "B");
        assert_eq!(reset.data["reset"]["stocks"][0]["total"]["available"], "0");
        let change = events.next().await.expect("a change");
        assert_eq!((change.id.as_deref(), change.name.as_str()), (Some("2"), "change"));
        assert_eq!(change.data["change"]["level"]["version"], "17");
        assert_eq!(events.next().await, None);
    }
}

#[tokio::test]
async fn a_reconnect_goes_on_after_the_last_event() {
    let world = World::start().await;
    let mut events = EventSource::open(&world, "/v1/stock:watch?sku=A&cursor=1", Some("7")).await;
    assert_eq!(events.next().await.expect("a change").id.as_deref(), Some("8"));
    let mut events = EventSource::open(&world, "/v1/stock:watch?sku=A&cursor=3", None).await;
    assert_eq!(events.next().await.expect("a change").id.as_deref(), Some("4"));
    let nonsense = world.get("/v1/stock:watch?sku=A&cursor=nonsense").await;
    nonsense.problem(400, "CURSOR_INVALID");
}

#[tokio::test]
async fn an_error_on_the_way_is_the_last_event() {
    let world = World::start().await;
    let mut events = EventSource::open(&world, "/v1/stock:watch?sku=broken", None).await;
    assert_eq!(events.next().await.expect("a reset").name, "reset");
    let error = events.next().await.expect("an error");
    assert_eq!((error.name.as_str(), &error.data["reason"]), ("error", &"OVERLOADED".into()));
    assert_eq!(error.data["status"], 429);
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn quiet_streams_are_kept_alive() {
    let world = World::with(Config { heartbeat: Duration::from_millis(20), ..Config::default() }).await;
    let mut events = EventSource::open(&world, "/v1/stock:watch?sku=quiet", None).await;
    assert_eq!(events.next().await.expect("a reset").name, "reset");
    events.next().await.expect("a comment");
    assert!(events.comments > 0);
}

#[tokio::test]
async fn a_reader_that_leaves_cancels_the_call() {
    for world in [World::start().await, World::over_tcp().await] {
        let mut watching = world.fake.watching.subscribe();
        let mut events = EventSource::open(&world, "/v1/stock:watch?sku=quiet", None).await;
        events.next().await.expect("a reset");
        assert_eq!(*watching.borrow_and_update(), 1);
        drop(events);
        let ended = tokio::time::timeout(Duration::from_secs(10), watching.wait_for(|open| *open == 0)).await;
        assert!(ended.is_ok(), "the service was left streaming to nobody");
    }
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_the_service_back() {
    let world = World::over_tcp().await;
    let mut events = EventSource::open(&world, "/v1/stock:watch?sku=endless", None).await;
    assert_eq!(events.next().await.expect("a reset").name, "reset");
    // Sockets and HTTP/2 windows take some megabytes; then a service that never pauses has to.
    let made = &world.fake.made;
    let stalled = async {
        loop {
            let before = made.load(Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(300)).await;
            if before > 0 && made.load(Ordering::Relaxed) == before {
                return before;
            }
        }
    };
    let made = tokio::time::timeout(Duration::from_secs(60), stalled).await.expect("the service is held back");
    assert!(made < 200_000, "{made} events are buffered somewhere");
    for expect in 2..1000 {
        assert_eq!(events.next().await.expect("endless").id, Some(expect.to_string()));
    }
    drop(events);
    let mut watching = world.fake.watching.subscribe();
    let ended = tokio::time::timeout(Duration::from_secs(10), watching.wait_for(|open| *open == 0)).await;
    assert!(ended.is_ok(), "the service was left streaming to nobody");
}

#[tokio::test]
async fn streams_beyond_the_bound_are_shed() {
    let world = World::with(Config { watches_max: 1, ..Config::default() }).await;
    let mut first = EventSource::open(&world, "/v1/stock:watch?sku=quiet", None).await;
    first.next().await.expect("a reset");
    world.get("/v1/stock:watch?sku=quiet").await.problem(429, "OVERLOADED");
    let head = world.request(Method::HEAD, "/v1/stock:watch?sku=A").body(Full::default()).expect("a request");
    assert_eq!(world.send(head).await.status, 405);
}
