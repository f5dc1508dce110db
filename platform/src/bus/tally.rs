//! What the bus counts, under the workload whose events they are. Topics of no workload's count nothing.

use std::time::SystemTime;

use holdfast_contracts::Workload;
use holdfast_contracts::events::v1::Envelope;

use super::Topic;
use super::ledger::Backlog;
use crate::telemetry::metrics::Metrics;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally(Option<Workload>);

impl Tally {
    pub(super) fn of(topic: &Topic) -> Self {
        Self(match topic.as_str() {
            "inventory" => Some(Workload::InventorySvc),
            "orders" => Some(Workload::OrderSvc),
            _ => None,
        })
    }

    /// These have had their effects.
    pub(super) fn handled(self, events: &[Envelope]) {
        let Some(owner) = self.0 else { return };
        let (lags, now) = (Metrics::get().event_lag.of((owner,)), SystemTime::now());
        for occurred in events.iter().filter_map(|event| SystemTime::try_from(event.occur_time?).ok()) {
            // Two machines' clocks: what seems to come from the future has just come.
            lags.observe(now.duration_since(occurred).unwrap_or_default());
        }
    }

    /// So many are put aside.
    pub(super) fn parked(self, events: i64) {
        if let Some(owner) = self.0 {
            Metrics::get().events_parked.of((owner,)).set(events as f64);
        }
    }

    pub(super) fn published(self, events: usize) {
        if let Some(owner) = self.0 {
            Metrics::get().outbox_published.of((owner,)).add(events as u64);
        }
    }

    /// What the relay that is at work has before it; none where another one is.
    pub(super) fn waiting(self, backlog: Option<Backlog>) {
        let Some(owner) = self.0 else { return };
        let metrics = Metrics::get();
        let (pending, oldest) = (metrics.outbox_pending.of((owner,)), metrics.outbox_oldest.of((owner,)));
        let Some(Backlog { events, oldest: written }) = backlog else {
            pending.clear();
            return oldest.clear();
        };
        let age = written.and_then(|written| written.elapsed().ok()).unwrap_or_default();
        pending.set(events as f64);
        oldest.set(age.as_secs_f64());
    }
}
