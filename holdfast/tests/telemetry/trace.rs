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

const TRACE_ID: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;
const CALLER: u64 = 0xb7ad_6b71_6920_3331;

/// The spans of a trace, to be walked from child to parent.
struct Trace(Vec<Span>);

impl Trace {
    fn lines(&self) -> Vec<Vec<String>> {
        self.0.iter().map(|span| self.line(span)).collect()
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
    let sink = Sink::open().await;
    let shop = Shop::open(Transport::Tcp, &[("S", 5)]).await;
    let export = Export::start(&sink.url(), "holdfast", 0.0).expect("a valid address");

    let order = json!({"requestId": new_id(), "customerId": "c1", "lines": [{"sku": "S", "quantity": 2}],
                       "payment": {"provider": "sandbox", "token": "tok_ok"}});
    let traceparent = format!("00-{TRACE_ID:032x}-{CALLER:016x}-01");
    shop.doors.rest.post_with("/v1/orders", &[("traceparent", &traceparent)], &order).await.ok();
    let spans = until("the order's own span is exported", || async {
        let spans = sink.trace(TRACE_ID);
        spans.iter().any(|span| span.name == "POST /v1/orders").then_some(spans)
    })
    .await;
    export.stop().await;

    let trace = Trace(spans);
    let placing = ["holdfast.order.v1.OrderService/PlaceOrder"; 2];
    let reserving = ["holdfast.inventory.v1.InventoryService/Reserve"; 2];
    // Each RPC is two spans: its client's and its server's.
    let order = [placing.as_slice(), &["POST /v1/orders"]].concat();
    let hold = [["lane batch"].as_slice(), &reserving, &order].concat();
    for above in [order, hold] {
        let is_below = |span: &&Span| is_statement(span) && trace.line(span)[1..] == above;
        assert!(trace.0.iter().any(|span| is_below(&span)), "no statement below {above:?}: {:#?}", trace.lines());
    }
    assert!(trace.0.iter().all(|span| span.end_time_unix_nano >= span.start_time_unix_nano));
}

fn is_statement(span: &Span) -> bool {
    span.kind() == SpanKind::Client && span.attributes.iter().any(|attribute| attribute.key == "db.system.name")
}
