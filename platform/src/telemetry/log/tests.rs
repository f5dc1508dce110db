use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use http::HeaderValue;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::call::Call;
use crate::deadline::{Deadline, TIMEOUT_DEFAULT};
use crate::peer::Peer;
use crate::telemetry::trace;
use crate::trace_context::TraceContext;

/// Keeps what is written.
#[derive(Debug, Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("nobody panics with it").clone()).expect("text")
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Page {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

const TRACE: TraceContext = TraceContext { trace_id: 0xabc, span_id: 0xdef, is_sampled: true };

#[tokio::test(flavor = "current_thread")]
async fn a_line_says_whose_call_it_was() {
    let page = Page::default();
    let (subscriber, _) = subscriber(LogFormat::Json, "info", page.clone()).expect("a level");
    let _quiet = tracing::subscriber::set_default(subscriber);
    let call = Call {
        deadline: Deadline::after(TIMEOUT_DEFAULT),
        request_id: Some(HeaderValue::from_static("shop-7")),
        trace: Some(TRACE),
        peer: Peer::Spiffe("spiffe://holdfast/gateway".into()),
    };
    let work = async { tracing::warn!(sku = "A", units = 3, "two\nlines") };
    Arc::new(call).scope(trace::scope(Some(TRACE), work)).await;

    let line: Value = serde_json::from_str(page.text().trim_end()).expect("one line of JSON");
    for (name, value) in [
        ("level", json!("WARN")),
        ("message", json!("two\nlines")),
        ("sku", json!("A")),
        ("units", json!(3)),
        ("trace_id", json!("00000000000000000000000000000abc")),
        ("span_id", json!("0000000000000def")),
        ("request.id", json!("shop-7")),
        ("peer", json!("spiffe://holdfast/gateway")),
    ] {
        assert_eq!(line[name], value, "{name} in {line}");
    }
    assert!(line["timestamp"].is_string() && line["target"].is_string(), "{line}");
}

#[test]
fn the_level_changes_while_the_process_runs_and_a_bad_one_changes_nothing() {
    let page = Page::default();
    let (subscriber, handle) = subscriber(LogFormat::Text, "warn", page.clone()).expect("a level");
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!("before");
        handle.reload(EnvFilter::new("info")).expect("the subscriber lives");
        tracing::info_span!("task", task = "sweeper").in_scope(|| tracing::info!("after"));
    });
    let text = page.text();
    assert!(!text.contains("before") && text.ends_with(": after task=sweeper\n"), "{text}");
    assert!(matches!(set_level("holdfast=loud"), Err(LevelError::Malformed(_))));
}
