//! What every process counts, whatever its business.

use holdfast_contracts::Workload;
use holdfast_contracts::options::v1::Criticality;

use super::histogram::{Histogram, Seconds};
use super::label::Label;
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

/// A process of the mesh: whose events, or who is called.
impl Label for Workload {
    const NAME: &'static str = "workload";

    fn words() -> &'static [&'static str] {
        &WORKLOADS
    }

    fn place(self) -> usize {
        self as usize
    }
}

const WORKLOADS: [&str; Workload::ALL.len()] = {
    let mut words = [""; Workload::ALL.len()];
    let mut place = 0;
    while place < words.len() {
        words[Workload::ALL[place] as usize] = Workload::ALL[place].as_str();
        place += 1;
    }
    words
};

crate::label! {
    /// What a circuit breaker does with calls.
    pub enum BreakerState = "breaker.state" {
        Closed = "closed",
        /// It lets none through.
        Open = "open",
        /// It lets one through, to see.
        Probing = "probing",
        /// There is no connection, and none can be made.
        Disconnected = "disconnected",
    }
}

crate::label! {
    /// Why a call was asked again, or not.
    pub enum RetryOutcome = "outcome" {
        Retried = "retried",
        /// Beside the first, which took long.
        Hedged = "hedged",
        /// The budget was spent.
        NoBudget = "no_budget",
        /// The server asked not to.
        PushedBack = "pushed_back",
    }
}

crate::label! {
    /// Why a call was turned away.
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

impl From<Criticality> for Weight {
    fn from(criticality: Criticality) -> Self {
        match criticality {
            Criticality::Sheddable => Self::Sheddable,
            Criticality::Unspecified | Criticality::Default => Self::Default,
            Criticality::Critical => Self::Critical,
        }
    }
}

/// Counts a call that was turned away.
pub fn count_shed(why: ShedReason, criticality: Criticality) {
    Metrics::get().calls_shed.of((why, criticality.into())).add(1);
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
        /// Calls turned away unserved, by why and by what they weigh.
        pub calls_shed: Counter, [ShedReason, Weight] = "holdfast.rpc.server.shed";
        /// How many calls the adaptive limit lets in at once.
        pub concurrency_limit: Gauge, [] = "holdfast.rpc.server.concurrency.limit";
        /// Calls asked again, or that would have been.
        pub retries: Counter, [Workload, RetryOutcome] = "holdfast.rpc.client.retries";
        /// Retries and hedges that the budget had left at the last call.
        pub retry_budget: Gauge, [Workload] = "holdfast.rpc.client.retry.budget";
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
        /// Events that a relay made durable on the broker.
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
