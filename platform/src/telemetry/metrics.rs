//! What every process counts, whatever its business.

use holdfast_contracts::options::v1::Criticality;

use super::histogram::{Histogram, Seconds};
use super::label::Label as _;
use super::rpc::{RpcMethod, RpcStatus, RpcSystem};
use super::value::{Counter, Gauge, UpDown};
use crate::pg::measure::{ConnectionState, DbSystem, Failure, Operation, PoolName};

crate::label! {
    /// Why a span was not exported.
    pub enum DropReason = "reason" {
        QueueFull = "queue_full",
        CollectorFailed = "collector_failed",
        Stopped = "stopped",
    }
}

crate::label! {
    /// A process of the mesh: whose events, or who is called.
    pub enum Workload = "workload" {
        Inventory = "inventory-svc",
        Order = "order-svc",
        Rec = "rec-svc",
        Gateway = "gateway",
        Operator = "operator",
    }
}

impl Workload {
    /// The workload of this name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Inventory, Self::Order, Self::Rec, Self::Gateway, Self::Operator];
        all.into_iter().zip(Self::words()).find(|(_, word)| **word == name).map(|(workload, _)| workload)
    }
}

crate::label! {
    /// What a circuit breaker does with calls.
    pub enum BreakerState = "breaker.state" {
        Closed = "closed",
        /// It lets none through.
        Open = "open",
        /// It lets one through, to see.
        Probing = "probing",
    }
}

crate::label! {
    /// Why a call was asked again, or not.
    pub enum RetryOutcome = "outcome" {
        Retried = "retried",
        Hedged = "hedged",
        /// The budget was spent.
        NoBudget = "no_budget",
        /// The server asked not to.
        PushedBack = "pushed_back",
    }
}

crate::label! {
    /// Why a call was refused before its handler.
    pub enum ShedReason = "reason" {
        /// More calls than the adaptive limit lets in.
        Concurrency = "concurrency",
        /// Its time was up before it began.
        Expired = "expired",
        /// The process is stopping.
        Draining = "draining",
    }
}

crate::label! {
    /// What gives way first.
    pub enum Weight = "criticality" {
        Sheddable = "sheddable",
        Default = "default",
        Critical = "critical",
    }
}

impl Weight {
    pub fn of(criticality: Criticality) -> Self {
        match criticality {
            Criticality::Sheddable => Self::Sheddable,
            Criticality::Unspecified | Criticality::Default => Self::Default,
            Criticality::Critical => Self::Critical,
        }
    }
}

crate::label! {
    /// What came of reading a file again.
    pub enum Reload = "outcome" { Changed = "changed", Refused = "refused" }
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
        /// Calls refused before their handler, by why and by what they weigh.
        pub calls_shed: Counter, [ShedReason, Weight] = "holdfast.rpc.server.shed";
        /// How many calls the adaptive limit lets in at once.
        pub concurrency_limit: Gauge, [] = "holdfast.rpc.server.concurrency.limit";
        /// Calls asked again, or that would have been.
        pub retries: Counter, [Workload, RetryOutcome] = "holdfast.rpc.client.retries";
        /// Endpoints known of a workload, by what their circuit breaker does.
        pub endpoints: UpDown, [Workload, BreakerState] = "holdfast.rpc.client.endpoints";
        /// Times that a circuit breaker opened.
        pub breaker_trips: Counter, [Workload] = "holdfast.rpc.client.breaker.trips";
        /// How long this process's certificate is still valid.
        pub certificate_left: Gauge, [] = "holdfast.tls.certificate.remaining" as seconds;
        /// Times that a rotated certificate was read.
        pub certificate_reloads: Counter, [Reload] = "holdfast.tls.certificate.reloads";
        /// Events written down and not yet published.
        pub outbox_pending: Gauge, [Workload] = "holdfast.outbox.pending";
        /// How long the oldest of them has waited; 0 where none does.
        pub outbox_oldest: Gauge, [Workload] = "holdfast.outbox.oldest.age" as seconds;
        /// Events published.
        pub outbox_published: Counter, [Workload] = "holdfast.outbox.published";
        /// From an event's commit to its consumer.
        pub event_lag: Histogram<Seconds>, [Workload] = "holdfast.bus.event.lag" as seconds;
        /// Events that no consumer could take, put aside for a person.
        pub events_parked: Gauge, [Workload] = "holdfast.bus.parked";
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
