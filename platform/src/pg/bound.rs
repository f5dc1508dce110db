//! Statements end with the call they run for: the server is told how long they may take (`statement_timeout`), so that it
//! works for nobody who has gone. Without a call, in workers and lanes, nothing is told and nothing is paid.
//!
//! What a connection was told last is remembered, in steps a quarter apart at most; the setting changes only when the step
//! does, and then it is sent ahead of the statement without waiting for its answer: no round trip.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio_postgres::Client;

use crate::call::Call;

/// What the pool's connections are told at their start, in milliseconds: for what runs for no call.
pub(super) const TIMEOUT_DEFAULT_MS: u32 = 30_000;
/// How many leading bits of a timeout are kept; the rest is rounded up.
const BITS_KEPT: u32 = 3;

/// What a connection's server was told last, in milliseconds; 0 where it was never told anything.
#[derive(Debug, Default)]
pub(super) struct Bound(AtomicU32);

impl Bound {
    /// Sees to it that the next statement on this connection ends with the call under way.
    pub(super) fn follow_call(&self, client: &Client) {
        let told_ms = self.0.load(Ordering::Relaxed);
        let wanted_ms = match Call::current() {
            Some(call) => round_up(call.deadline.remaining()),
            // Never told: whatever it began with holds.
            None if told_ms == 0 => return,
            None => TIMEOUT_DEFAULT_MS,
        };
        if wanted_ms == told_ms {
            return;
        }
        self.0.store(wanted_ms, Ordering::Relaxed);
        let setting = format!("SET statement_timeout = {wanted_ms}");
        // Polled once, it is on its way, ahead of whatever is sent next; a connection that is lost says so then.
        let _sent = client.batch_execute(&setting).now_or_never();
    }
}

/// In whole milliseconds, at least 1 (0 would mean no limit), rounded up to its leading bits: never less than what is
/// left, at most a quarter more.
fn round_up(left: Duration) -> u32 {
    let left_ms = u32::try_from(left.as_millis()).unwrap_or(u32::MAX).clamp(1, TIMEOUT_DEFAULT_MS);
    let dropped_bits = (u32::BITS - left_ms.leading_zeros()).saturating_sub(BITS_KEPT);
    left_ms.div_ceil(1 << dropped_bits) << dropped_bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_gets_what_is_left_and_at_most_a_quarter_more() {
        assert_eq!(round_up(Duration::ZERO), 1);
        assert_eq!(round_up(Duration::from_hours(1)), round_up(Duration::from_secs(30)));
        for left_ms in 1..=TIMEOUT_DEFAULT_MS {
            let told_ms = round_up(Duration::from_millis(left_ms.into()));
            assert!(told_ms >= left_ms && told_ms <= left_ms + left_ms / 4 + 1, "{left_ms}: {told_ms}");
        }
        assert_eq!(round_up(Duration::from_millis(1_999)), round_up(Duration::from_millis(1_800)), "few steps");
    }
}
