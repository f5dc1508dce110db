//! Sends finished spans to a collector, over OTLP/gRPC. The queue is bounded and nobody waits for it: a collector that
//! is slow or gone costs its spans, which are counted, and never a call's time.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use opentelemetry::KeyValue;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::metrics::{DropReason, Metrics};
use crate::task::spawn_joined;

/// How many finished spans wait at most.
const QUEUE_SPANS_MAX: usize = 8_192;
/// How many are sent at once.
const BATCH_SPANS_MAX: usize = 512;
/// How long the first of a batch waits for others.
const BATCH_WAIT: Duration = Duration::from_millis(500);
/// How long the collector may take for a batch.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long what waits at the end may take.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

static SINK: ArcSwapOption<Sink> = ArcSwapOption::const_empty();

struct Sink {
    spans: mpsc::Sender<SpanData>,
    /// Traces whose draw is below are sampled, where their caller has not decided.
    threshold: u64,
}

/// Whether spans go anywhere.
pub(super) fn is_on() -> bool {
    SINK.load().is_some()
}

/// Draws whether a new trace is sampled; none where nobody traces.
pub(super) fn draw() -> Option<bool> {
    SINK.load().as_ref().map(|sink| rand::random::<u64>() < sink.threshold)
}

/// Hands a finished span over, or drops it where too many wait.
pub(super) fn send(span: SpanData) {
    if let Some(sink) = &*SINK.load()
        && let Err(refused) = sink.spans.try_send(span)
    {
        let reason = match refused {
            mpsc::error::TrySendError::Full(_) => DropReason::QueueFull,
            mpsc::error::TrySendError::Closed(_) => DropReason::Stopped,
        };
        Metrics::get().spans_dropped.of((reason,)).add(1);
    }
}

/// The export under way; stop it to send what still waits.
#[derive(Debug)]
pub struct Export(JoinHandle<()>);

impl Export {
    /// Starts to send spans to an OTLP/gRPC collector (`http://127.0.0.1:4317`), in the name of a service. New traces are
    /// sampled with this probability. Call it inside a runtime, once a process; a second replaces the first.
    ///
    /// # Errors
    /// Where the address is not one. A collector that is not there is none: it may come.
    pub fn start(collector: &str, service: &'static str, ratio: f64) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(collector).with_timeout(EXPORT_TIMEOUT);
        let mut exporter = exporter.build()?;
        let attributes =
            [KeyValue::new("service.name", service), KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))];
        exporter.set_resource(&Resource::builder_empty().with_attributes(attributes).build());
        let (spans, waiting) = mpsc::channel(QUEUE_SPANS_MAX);
        // Saturates: a ratio of 1 draws below the largest number almost always, and 2^-64 is nobody's concern.
        let threshold = (ratio.clamp(0.0, 1.0) * u64::MAX as f64) as u64;
        SINK.store(Some(Arc::new(Sink { spans, threshold })));
        Ok(Self(spawn_joined(run(exporter, waiting))))
    }

    /// Takes no more spans, and sends what waits within a few seconds.
    pub async fn stop(self) {
        SINK.store(None);
        let Self(mut task) = self;
        if tokio::time::timeout(FLUSH_TIMEOUT, &mut task).await.is_err() {
            task.abort();
        }
    }
}

async fn run(exporter: SpanExporter, mut waiting: mpsc::Receiver<SpanData>) {
    let mut is_heard = true;
    let mut batch = Vec::with_capacity(BATCH_SPANS_MAX);
    while waiting.recv_many(&mut batch, BATCH_SPANS_MAX).await > 0 {
        fill(&mut batch, &mut waiting).await;
        let count = batch.len() as u64;
        // The exporter retries within its time; longer than that nobody waits.
        let sent = tokio::time::timeout(EXPORT_TIMEOUT, exporter.export(std::mem::take(&mut batch))).await;
        let was_heard = std::mem::replace(&mut is_heard, matches!(sent, Ok(Ok(()))));
        if is_heard {
            Metrics::get().spans_sent.add(count);
        } else {
            Metrics::get().spans_dropped.of((DropReason::CollectorFailed,)).add(count);
        }
        match (was_heard, is_heard) {
            (true, false) => tracing::warn!("the trace collector does not take spans: they are dropped until it does"),
            (false, true) => tracing::info!("the trace collector takes spans again"),
            (true, true) | (false, false) => {}
        }
    }
}

/// Waits a little for more, up to a full batch or the end.
async fn fill(batch: &mut Vec<SpanData>, waiting: &mut mpsc::Receiver<SpanData>) {
    let more = async {
        while batch.len() < BATCH_SPANS_MAX {
            let room = BATCH_SPANS_MAX - batch.len();
            if waiting.recv_many(batch, room).await == 0 {
                return;
            }
        }
    };
    // Running out of time is the usual end.
    let _ = tokio::time::timeout(BATCH_WAIT, more).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::label::Label as _;
    use crate::telemetry::span::Span;
    use crate::trace_context::TraceContext;

    fn dropped() -> u64 {
        let all = [DropReason::QueueFull, DropReason::CollectorFailed, DropReason::Stopped];
        assert_eq!(all.len(), DropReason::words().len());
        all.into_iter().map(|reason| Metrics::get().spans_dropped.of((reason,)).get()).sum()
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_collector_that_never_answers_costs_spans_and_no_time() {
        // Connections wait in its backlog for ever.
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = silent.local_addr().expect("an address");
        let export = Export::start(&format!("http://{address}"), "test", 1.0).expect("a valid address");
        let before = dropped();
        // Nothing is awaited here, so nothing is sent meanwhile: what exceeds the queue can only be dropped.
        for _ in 0..2 * QUEUE_SPANS_MAX {
            drop(Span::server("call", None));
        }
        assert!(dropped() - before >= QUEUE_SPANS_MAX as u64);

        let unsampled = TraceContext { trace_id: 1, span_id: 2, is_sampled: false };
        let span = Span::server("call", Some(unsampled));
        assert_eq!((span.context(), span.trace_id()), (Some(unsampled), None), "its caller decided");
        export.stop().await;
        assert_eq!(Span::server("call", None).context(), None, "nobody traces any more");
    }
}
