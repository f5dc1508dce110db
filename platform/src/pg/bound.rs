//! Statements end with the call they run for: the server is told how long they may take (`statement_timeout`), so that it
//! works for nobody who has gone. Without a call, in workers and lanes, nothing is told and nothing is paid.
//!
//! What a connection was told last is remembered, in steps a quarter apart at most; the setting changes only when the step
//! does, and then it is sent ahead of the statement without waiting for its answer: no round trip.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::join;
use tokio_postgres::Client;

use super::Error;
use crate::call::Call;

/// What the pool's connections are told at their start, in milliseconds: for what runs for no call.
pub(super) const TIMEOUT_DEFAULT_MS: u32 = 30_000;
/// The least that is told, in milliseconds: less could end the very statement that tells the next one's.
const TIMEOUT_MIN_MS: u32 = 50;
/// How many leading bits of a timeout are kept; the rest is rounded up.
const BITS_KEPT: u32 = 3;
/// While nobody knows what a server goes by: it is told anew.
const UNKNOWN: u32 = u32::MAX;

/// What a connection's server was told last, in milliseconds; 0 where it was never told anything.
#[derive(Debug, Default)]
pub(super) struct Bound(AtomicU32);

impl Bound {
    /// Runs statements of this connection, the first of them sent by `run` when it is first polled, so that they end with
    /// the call under way.
    pub(super) async fn following_call<T>(
        &self,
        client: &Client,
        run: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some(wanted_ms) = self.to_tell()? else { return run.await };
        self.0.store(UNKNOWN, Ordering::Relaxed);
        let setting = format!("SET statement_timeout = {wanted_ms}");
        // Polled first, it is on its way ahead of whatever `run` sends, and answered ahead of it.
        let (told, ran) = join(client.batch_execute(&setting), run).await;
        if told.is_ok() {
            self.0.store(wanted_ms, Ordering::Relaxed);
        }
        ran
    }

    /// What a transaction must tell at its beginning, for itself alone; none where the connection's will do.
    pub(super) fn setting_local(&self) -> Result<Option<String>, Error> {
        Ok(self.to_tell()?.map(|wanted_ms| format!("SET LOCAL statement_timeout = {wanted_ms}")))
    }

    fn to_tell(&self) -> Result<Option<u32>, Error> {
        let told_ms = self.0.load(Ordering::Relaxed);
        let wanted_ms = match Call::current() {
            Some(call) if call.deadline.has_passed() => return Err(Error::Late),
            Some(call) => round_up(call.deadline.remaining()),
            // Never told: whatever it began with holds.
            None if told_ms == 0 => return Ok(None),
            None => TIMEOUT_DEFAULT_MS,
        };
        Ok((wanted_ms != told_ms).then_some(wanted_ms))
    }
}

/// In whole milliseconds, rounded up to its leading bits: never less than what is left, at most a quarter more, but for
/// the least.
fn round_up(left: Duration) -> u32 {
    let left_ms = u32::try_from(left.as_millis()).unwrap_or(u32::MAX).clamp(TIMEOUT_MIN_MS, TIMEOUT_DEFAULT_MS);
    let dropped_bits = (u32::BITS - left_ms.leading_zeros()).saturating_sub(BITS_KEPT);
    left_ms.div_ceil(1 << dropped_bits) << dropped_bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_gets_what_is_left_and_at_most_a_quarter_more() {
        assert_eq!(round_up(Duration::ZERO), round_up(Duration::from_millis(TIMEOUT_MIN_MS.into())));
        assert_eq!(round_up(Duration::from_hours(1)), round_up(Duration::from_secs(30)));
        for left_ms in TIMEOUT_MIN_MS..=TIMEOUT_DEFAULT_MS {
            let told_ms = round_up(Duration::from_millis(left_ms.into()));
            assert!(told_ms >= left_ms && told_ms <= left_ms + left_ms / 4 + 1, "{left_ms}: {told_ms}");
        }
        assert_eq!(round_up(Duration::from_millis(1_999)), round_up(Duration::from_millis(1_800)), "few steps");
    }
}
