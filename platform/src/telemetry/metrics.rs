//! What every process counts, whatever its business.

use super::histogram::{Histogram, Seconds};
use super::rpc::{RpcMethod, RpcStatus, RpcSystem};
use super::value::{Counter, UpDown};
use crate::pg::measure::{ConnectionState, DbSystem, Failure, Operation, PoolName};

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
        /// How long statements took, from here to the database and back.
        pub db_operations: Histogram<Seconds>, [DbSystem, Operation, Failure] = "db.client.operation.duration" as seconds;
        /// Open database connections.
        pub db_connections: UpDown, [PoolName, ConnectionState] = "db.client.connection.count";
        /// How long a free connection was waited for.
        pub db_connection_waits: Histogram<Seconds>, [PoolName] = "db.client.connection.wait_time" as seconds;
        /// Times that no connection became free.
        pub db_connection_timeouts: Counter, [PoolName] = "db.client.connection.timeouts";
        /// Spans sent to the trace collector.
        pub spans_sent: Counter, [] = "holdfast.telemetry.spans.sent";
        /// Spans of sampled traces that never reached the collector.
        pub spans_dropped: Counter, [DropReason] = "holdfast.telemetry.spans.dropped";
    }
}
