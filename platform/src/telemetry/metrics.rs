//! What every process counts, whatever its business.

use super::histogram::{Histogram, Seconds};
use super::rpc::{RpcMethod, RpcStatus, RpcSystem};
use super::value::{Counter, UpDown};

crate::label! {
    /// Why a span was not exported.
    pub enum DropReason = "reason" {
        QueueFull = "queue_full",
        CollectorFailed = "collector_failed",
        Stopped = "stopped",
    }
}

crate::metrics! {
    /// The platform's metrics.
    pub struct Metrics of "platform" {
        /// How long RPCs took to serve: to the answer, or a stream's end.
        pub rpc_server_calls: Histogram<Seconds>, [RpcSystem, RpcMethod, RpcStatus] = "rpc.server.call.duration" as seconds;
        /// RPCs being served, streams included.
        pub rpc_server_active: UpDown, [RpcSystem] = "holdfast.rpc.server.active_calls";
        /// How long RPCs to other services took for their caller, retries included.
        pub rpc_client_calls: Histogram<Seconds>, [RpcSystem, RpcMethod, RpcStatus] = "rpc.client.call.duration" as seconds;
        /// Spans sent to the trace collector.
        pub spans_sent: Counter, [] = "holdfast.telemetry.spans.sent";
        /// Spans of sampled traces that never reached the collector.
        pub spans_dropped: Counter, [DropReason] = "holdfast.telemetry.spans.dropped";
    }
}
