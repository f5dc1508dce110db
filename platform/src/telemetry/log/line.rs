//! One log line: when, how grave, where in the code, what, its values, and whose call it was.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::LogFormat;
use crate::call::Call;
use crate::peer::Peer;
use crate::telemetry::trace;

/// Writes lines in one format.
#[derive(Debug)]
pub(super) struct Line {
    format: LogFormat,
}

impl Line {
    pub(super) fn new(format: LogFormat) -> Self {
        Self { format }
    }
}

/// A span's values, kept as JSON until one of its lines is written.
#[derive(Debug)]
pub(super) struct Fields;

impl<'w> FormatFields<'w> for Fields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut values = Values::default();
        fields.record(&mut values);
        write!(writer, "{}", Value::Object(values.0))
    }
}

impl<S> FormatEvent<S, Fields> for Line
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, Fields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut values = Values::default();
        event.record(&mut values);
        let Values(mut values) = values;
        let message = values.remove("message").unwrap_or_default();
        // The innermost span's word counts, and the line's own before it.
        for span in context.event_scope().into_iter().flatten() {
            let extensions = span.extensions();
            let kept = extensions.get::<FormattedFields<Fields>>().and_then(|kept| serde_json::from_str(kept).ok());
            for (name, value) in kept.into_iter().flat_map(|kept: Map<String, Value>| kept) {
                values.entry(name).or_insert(value);
            }
        }
        call_of(&mut values);
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let metadata = event.metadata();
        match self.format {
            LogFormat::Json => {
                let mut line = Map::new();
                line.insert("timestamp".to_owned(), time.into());
                line.insert("level".to_owned(), metadata.level().as_str().into());
                line.insert("target".to_owned(), metadata.target().into());
                line.insert("message".to_owned(), message);
                line.append(&mut values);
                writeln!(writer, "{}", Value::Object(line))
            }
            LogFormat::Text => {
                write!(writer, "{time} {:>5} {}: {}", metadata.level().as_str(), metadata.target(), text(&message))?;
                for (name, value) in &values {
                    write!(writer, " {name}={}", text(value))?;
                }
                writeln!(writer)
            }
        }
    }
}

/// Whose call the running code works for.
fn call_of(values: &mut Map<String, Value>) {
    if let Some(trace) = trace::current() {
        values.insert("trace_id".to_owned(), format!("{:032x}", trace.trace_id).into());
        values.insert("span_id".to_owned(), format!("{:016x}", trace.span_id).into());
    }
    let Some(call) = Call::current() else { return };
    if let Some(id) = call.request_id.as_ref().and_then(|id| id.to_str().ok()) {
        values.insert("request.id".to_owned(), id.into());
    }
    let peer = match &call.peer {
        Peer::Anonymous => return,
        Peer::InProcess(name) => Value::from(*name),
        Peer::Spiffe(id) => Value::from(&**id),
    };
    values.insert("peer".to_owned(), peer);
}

/// Words stand as they are, unless they would break the line.
fn text(value: &Value) -> String {
    match value {
        Value::String(word) if !word.contains(['\n', '\r']) => word.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Values by the name the code gives them.
#[derive(Debug, Default)]
struct Values(Map<String, Value>);

impl Values {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Values {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // A value whose Debug fails says what it said so far.
        let _ = write!(text, "{value:?}");
        self.put(field, text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, value.to_string());
    }
}
