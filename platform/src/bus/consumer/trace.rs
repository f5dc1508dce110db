//! Where events' traces go on: their handling is part of the trace in which they were made.

use holdfast_contracts::events::v1::Envelope;

use crate::telemetry::span::Span;
use crate::trace_context::TraceContext;

/// Handling these events together: below the first one whose trace is sampled, linked to those of the others.
pub(super) fn span(events: &[Envelope]) -> Span {
    let contexts = || events.iter().filter_map(|event| TraceContext::parse(event.traceparent.as_bytes()));
    let parent = contexts().find(|context| context.is_sampled).or_else(|| contexts().next());
    let mut span = Span::consumer("process events", parent);
    span.link(contexts().filter(|context| Some(*context) != parent));
    span
}
