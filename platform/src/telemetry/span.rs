//! One thing that was done, as part of a trace. Where its trace is not sampled a span is a copy of its parent's context
//! and nothing else: no allocation, no clock.
//!
//! Names and attributes are words of the code, numbers and flags: what a caller sent cannot get into a trace.

use std::time::SystemTime;

use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::export;
use crate::trace_context::TraceContext;

/// How many other spans one may be linked to.
const LINKS_MAX: usize = 32;

/// See the module. It ends when told to, or dropped.
#[derive(Debug, Default)]
pub struct Span {
    context: Option<TraceContext>,
    recording: Option<Box<SpanData>>,
}

/// An attribute's value.
#[derive(Debug, Clone, Copy)]
pub enum Attribute {
    Word(&'static str),
    Number(i64),
}

impl From<&'static str> for Attribute {
    fn from(word: &'static str) -> Self {
        Self::Word(word)
    }
}

impl From<i64> for Attribute {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl Span {
    /// A request being served; the start of a trace where its caller gave none.
    pub fn server(name: &'static str, parent: Option<TraceContext>) -> Self {
        match parent {
            Some(_) => Self::begin(SpanKind::Server, name, parent, true),
            None => Self::root(SpanKind::Server, name),
        }
    }

    /// A request to somebody else, where it is part of a trace.
    pub fn client(name: &'static str, parent: Option<TraceContext>) -> Self {
        Self::begin(SpanKind::Client, name, parent, false)
    }

    /// Events being handled, where they were made as part of a trace.
    pub fn consumer(name: &'static str, parent: Option<TraceContext>) -> Self {
        Self::begin(SpanKind::Consumer, name, parent, true)
    }

    /// Work of this process's own, where it is part of a trace.
    pub fn internal(name: &'static str, parent: Option<TraceContext>) -> Self {
        Self::begin(SpanKind::Internal, name, parent, false)
    }

    fn root(kind: SpanKind, name: &'static str) -> Self {
        let Some(is_sampled) = export::draw() else { return Self::default() };
        let context = TraceContext { trace_id: rand::random::<u128>().max(1), span_id: new_span_id(), is_sampled };
        if !is_sampled {
            return Self { context: Some(context), recording: None };
        }
        Self::record(kind, name, context, SpanId::INVALID, false)
    }

    fn begin(kind: SpanKind, name: &'static str, parent: Option<TraceContext>, is_remote: bool) -> Self {
        let Some(parent) = parent else { return Self::default() };
        if !parent.is_sampled || !export::is_on() {
            return Self { context: Some(parent), recording: None };
        }
        let context = TraceContext { span_id: new_span_id(), ..parent };
        Self::record(kind, name, context, SpanId::from(parent.span_id), is_remote)
    }

    fn record(kind: SpanKind, name: &'static str, context: TraceContext, parent: SpanId, is_remote: bool) -> Self {
        let now = SystemTime::now();
        let data = SpanData {
            span_context: exported(&context, false),
            parent_span_id: parent,
            parent_span_is_remote: is_remote,
            span_kind: kind,
            name: name.into(),
            start_time: now,
            end_time: now,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::builder("holdfast").build(),
        };
        Self { context: Some(context), recording: Some(Box::new(data)) }
    }

    /// What children and other processes are told: this span, or its parent where this one is not recorded.
    pub fn context(&self) -> Option<TraceContext> {
        self.context
    }

    /// The trace, where it is sampled: something to point at.
    pub fn trace_id(&self) -> Option<u128> {
        self.context.filter(|_| self.recording.is_some()).map(|context| context.trace_id)
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<Attribute>) -> &mut Self {
        if let Some(data) = &mut self.recording {
            let value = match value.into() {
                Attribute::Word(word) => Value::from(word),
                Attribute::Number(number) => Value::from(number),
            };
            data.attributes.push(KeyValue::new(name, value));
        }
        self
    }

    /// Names it by what was learned since it began.
    pub fn rename(&mut self, name: &'static str) {
        if let Some(data) = &mut self.recording {
            data.name = name.into();
        }
    }

    /// Also done for other traces' spans.
    pub fn link(&mut self, others: impl IntoIterator<Item = TraceContext>) {
        if let Some(data) = &mut self.recording {
            let links = others.into_iter().filter(|other| other.is_sampled);
            let links = links.map(|other| Link::with_context(exported(&other, true)));
            data.links.links.extend(links.take(LINKS_MAX));
        }
    }

    /// It did not come to what it was for; says why in a word.
    pub fn fail(&mut self, error_type: &'static str) {
        self.set("error.type", error_type);
        if let Some(data) = &mut self.recording {
            data.status = Status::error("");
        }
    }

    /// Ends it now.
    pub fn end(&mut self) {
        if let Some(mut data) = self.recording.take() {
            data.end_time = SystemTime::now();
            export::send(*data);
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        self.end();
    }
}

fn new_span_id() -> u64 {
    rand::random::<u64>().max(1)
}

fn exported(context: &TraceContext, is_remote: bool) -> SpanContext {
    let flags = if context.is_sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let (trace, span) = (TraceId::from(context.trace_id), SpanId::from(context.span_id));
    SpanContext::new(trace, span, flags, is_remote, TraceState::default())
}
