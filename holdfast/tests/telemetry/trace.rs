//! One order is one trace: gateway -> order -> inventory -> database.

use holdfast::system::Transport;
use holdfast_platform::telemetry::export::Export;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::json;

use crate::ask::new_id;
use crate::shop::Shop;
use crate::sink::Sink;
use crate::wait::until;

const CALLER: u64 = 0xb7ad_6b71_6920_3331;

/// The spans of a trace, to be walked from child to parent.
struct Trace(Vec<Span>);

impl Trace {
    fn lines(&self) -> Vec<Vec<String>> {
        self.0.iter().map(|span| self.line(span)).collect()
    }

    /// Whether every span's parent has come too.
    fn is_whole(&self) -> bool {
        let ids: Vec<&[u8]> = self.0.iter().map(|span| &*span.span_id).collect();
        let has_parent =
            |span: &Span| span.parent_span_id == CALLER.to_be_bytes() || ids.contains(&&*span.parent_span_id);
        self.0.iter().all(has_parent)
    }

    /// Names from a span up to the caller outside.
    fn line(&self, span: &Span) -> Vec<String> {
        let mut line = vec![span.name.clone()];
        let mut child = span;
        while let Some(parent) = self.0.iter().find(|parent| parent.span_id == child.parent_span_id) {
            line.push(parent.name.clone());
            child = parent;
        }
        assert_eq!(child.parent_span_id, CALLER.to_be_bytes(), "{line:?} does not lead to the caller");
        line
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_one_trace_from_the_gateway_to_the_database() {
    Box::pin(an_order_is_one_trace(Transport::Tcp)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_one_trace_where_no_call_takes_a_socket() {
    Box::pin(an_order_is_one_trace(Transport::InProcess)).await;
}

async fn an_order_is_one_trace(transport: Transport) {
    let trace_id = rand::random::<u128>().max(1);
    let sink = Sink::open().await;
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let export = Export::start(&sink.url(), "holdfast", 0.0).expect("a valid address");

    let order = json!({"requestId": new_id(), "customerId": "c1", "lines": [{"sku": "S", "quantity": 2}],
                       "payment": {"provider": "sandbox", "token": "tok_ok"}});
    let traceparent = format!("00-{trace_id:032x}-{CALLER:016x}-01");
    shop.doors.rest.post_with("/v1/orders", &[("traceparent", &traceparent)], &order).await.ok();
    let trace = until("the order's own span is exported, and its event's", || async {
        let trace = Trace(sink.trace(trace_id));
        let is_there = |name: &str| trace.0.iter().any(|span| span.name == name);
        // The order's events go on to the recommendations, which learn what was bought.
        (is_there("POST /v1/orders") && is_there("process events") && trace.is_whole()).then_some(trace)
    })
    .await;
    export.stop().await;

    let placing = ["holdfast.order.v1.OrderService/PlaceOrder"; 2];
    let reserving = ["holdfast.inventory.v1.InventoryService/Reserve"; 2];
    // Each RPC is two spans: its client's and its server's.
    let order = [placing.as_slice(), &["POST /v1/orders"]].concat();
    let hold = [["lane batch"].as_slice(), &reserving, &order].concat();
    for above in [&order, &hold] {
        let is_below = |span: &&Span| is_statement(span) && trace.line(span)[1..] == **above;
        assert!(trace.0.iter().any(|span| is_below(&span)), "no statement below {above:?}: {:#?}", trace.lines());
    }
    let learning = trace.0.iter().filter(|span| span.kind() == SpanKind::Consumer);
    let learning: Vec<_> = learning.map(|span| trace.line(span)).collect();
    assert!(learning.iter().any(|line| line[1..] == order), "no event below {order:?}: {learning:?}");
    assert!(trace.0.iter().all(|span| span.end_time_unix_nano >= span.start_time_unix_nano));
}

fn is_statement(span: &Span) -> bool {
    span.kind() == SpanKind::Client && span.attributes.iter().any(|attribute| attribute.key == "db.system.name")
}
