//! How many calls may be under way: found by what calls wait beyond their own work. Pure: time is an argument.
//!
//! The delay-based congestion control of LEDBAT (RFC 6817), on calls instead of packets: each method's *base* is the
//! least latency it had of late; what a call takes beyond that it spent in a queue, wherever that is (the runtime, a lane,
//! the pool, the disk). The limit is steered to where that wait is [`WAIT_TARGET`]. Unlike a limit on the ratio of
//! latencies (Vegas, gradient) this lets batching work: a hold that takes ten times as long because a hundred others are
//! committed with it is no sign of overload, one that waits for a tenth of a second is.
//!
//! Only calls that succeeded make a base: a refusal is quick whatever the work would have taken, and one that was taken for
//! the work's latency would make the work itself look like a queue.
//!
//! A base may rise (a payment provider got slower) only in times when nothing was refused, else a lasting queue would in
//! time pass for the natural latency, and the limit would climb for ever; or where the limit has long been as low as it
//! gets: what calls still take then is no queue of theirs.

use std::time::Duration;

use tokio::time::Instant;

/// How long calls may wait beyond their own work.
pub(super) const WAIT_TARGET: Duration = Duration::from_millis(100);
/// This many calls may always be under way: the slowness of a few is no crowd's, and an outage that made everybody wait
/// must not be followed by refusals when it is over.
pub(super) const LIMIT_MIN: usize = 128;
/// No more than this, however well it goes: it bounds memory.
pub(super) const LIMIT_MAX: usize = 8192;
/// Where the limit begins.
pub(super) const LIMIT_START: usize = 512;
/// How often the limit is set, and on how many calls at least.
const WINDOW: Duration = Duration::from_millis(100);
const SAMPLES_MIN: u32 = 16;
/// The most the limit grows and shrinks in one window.
const GROWTH_MAX: f64 = 1.2;
const SHRINK_MAX: f64 = 0.5;
/// A base is the least latency of this period and the one before.
const BASE_PERIOD: Duration = Duration::from_mins(1);

/// How a call that tells of latency ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It did its work.
    Done,
    /// Its time ran out: it waited, but nobody knows what its work takes.
    Late,
}

/// One call that was answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// Which method: below what the controller was made for.
    pub(super) method: usize,
    pub(super) latency: Duration,
    pub(super) outcome: Outcome,
    /// How many calls were under way when it began, itself included.
    pub(super) in_flight: usize,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Controller {
    limit: f64,
    bases: Vec<Base>,
    window: Window,
    base_period_ends: Instant,
    refused_in_period: bool,
    /// The highest limit of this period.
    limit_peak: f64,
}

/// A method's least latencies, in seconds.
#[derive(Debug, Clone, Copy)]
struct Base {
    now_s: f64,
    before_s: f64,
}

#[derive(Debug)]
struct Window {
    ends: Instant,
    samples: u32,
    waited_s: f64,
    in_flight_peak: usize,
    refused: bool,
}

impl Controller {
    pub(super) fn new(methods: usize, now: Instant) -> Self {
        Self {
            limit: LIMIT_START as f64,
            bases: vec![Base { now_s: f64::INFINITY, before_s: f64::INFINITY }; methods],
            window: Window::begin(now),
            base_period_ends: now + BASE_PERIOD,
            refused_in_period: false,
            limit_peak: LIMIT_START as f64,
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit as usize
    }

    /// Takes an answered call into account; `refused` is whether any was turned away since the last one.
    pub(super) fn observe(&mut self, sample: Sample, refused: bool, now: Instant) {
        let latency_s = sample.latency.as_secs_f64();
        let base = &mut self.bases[sample.method];
        if sample.outcome == Outcome::Done {
            base.now_s = base.now_s.min(latency_s);
        }
        // Below nothing where there is no base yet, or the call was late by its caller's impatience alone.
        let waited_s = (latency_s - base.now_s.min(base.before_s)).max(0.0);
        self.window.take(waited_s, sample.in_flight, refused);
        if now >= self.window.ends && self.window.samples >= SAMPLES_MIN {
            self.set_limit();
            self.refused_in_period |= self.window.refused;
            self.window = Window::begin(now);
            self.renew_bases(now);
        }
    }

    fn set_limit(&mut self) {
        let Window { samples, waited_s, in_flight_peak, .. } = self.window;
        // 1 where calls wait as long as they may.
        let wait = waited_s / f64::from(samples) / WAIT_TARGET.as_secs_f64();
        let peak = in_flight_peak as f64;
        let limit = if wait > 1.0 {
            // A limit nobody reached did not hold the crowd back: begin at the crowd. A few calls are none.
            if in_flight_peak < LIMIT_MIN { self.limit } else { self.limit.min(peak) * (1.0 / wait).max(SHRINK_MAX) }
        } else if peak * 2.0 >= self.limit {
            self.limit * (1.0 + (GROWTH_MAX - 1.0) * (1.0 - wait)) + 1.0
        } else {
            // It was not tried: nothing says that more would go.
            self.limit
        };
        self.limit = limit.clamp(LIMIT_MIN as f64, LIMIT_MAX as f64);
        self.limit_peak = self.limit_peak.max(self.limit);
    }

    fn renew_bases(&mut self, now: Instant) {
        if now < self.base_period_ends {
            return;
        }
        let was_least = self.limit_peak <= LIMIT_MIN as f64;
        if !self.refused_in_period || was_least {
            for base in &mut self.bases {
                *base = Base { now_s: f64::INFINITY, before_s: base.now_s };
            }
        }
        self.refused_in_period = false;
        self.limit_peak = self.limit;
        self.base_period_ends = now + BASE_PERIOD;
    }
}

impl Window {
    fn begin(now: Instant) -> Self {
        Self { ends: now + WINDOW, samples: 0, waited_s: 0.0, in_flight_peak: 0, refused: false }
    }

    fn take(&mut self, waited_s: f64, in_flight: usize, refused: bool) {
        self.samples += 1;
        self.waited_s += waited_s;
        self.in_flight_peak = self.in_flight_peak.max(in_flight);
        self.refused |= refused;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds windows of equal calls; what the limit is in the end.
    fn after(windows: u32, latency_ms: impl Fn(usize) -> u64, in_flight: impl Fn(usize) -> usize) -> usize {
        let mut now = Instant::now();
        let mut controller = Controller::new(1, now);
        let mut feed = |controller: &mut Controller, latency_ms, in_flight| {
            now += Duration::from_millis(7);
            let latency = Duration::from_millis(latency_ms);
            controller.observe(Sample { method: 0, latency, outcome: Outcome::Done, in_flight }, false, now);
        };
        feed(&mut controller, 1, 1);
        for _ in 0..windows * SAMPLES_MIN {
            let limit = controller.limit();
            feed(&mut controller, latency_ms(limit), in_flight(limit));
        }
        controller.limit()
    }

    #[test]
    fn a_crowd_is_limited_to_what_waits_as_long_as_it_may() {
        // 10,000 calls a second: by Little's law 100 ms of waiting are 1,000 calls.
        let limit = after(200, |limit| 1 + limit as u64 / 10, |limit| limit);
        assert!((900..=1_150).contains(&limit), "{limit}");
    }

    #[test]
    fn the_slowness_of_a_few_limits_nobody() {
        assert_eq!(after(50, |_| 5_000, |_| LIMIT_MIN - 1), LIMIT_START);
    }

    #[test]
    fn batching_is_not_overload() {
        assert_eq!(after(100, |_| 30, |limit| limit), LIMIT_MAX, "thirty times the base, but no long wait");
    }

    #[test]
    fn work_that_got_slower_for_good_is_in_time_no_overload() {
        let mut now = Instant::now();
        let mut controller = Controller::new(1, now);
        let mut feed = |latency_ms, periods| {
            let until = now + BASE_PERIOD * periods;
            while now < until {
                now += Duration::from_millis(7);
                let (latency, in_flight) = (Duration::from_millis(latency_ms), controller.limit());
                controller.observe(Sample { method: 0, latency, outcome: Outcome::Done, in_flight }, true, now);
            }
            controller.limit()
        };
        assert_eq!(feed(10, 1), LIMIT_MAX);
        assert_eq!(feed(3_000, 1), LIMIT_MIN, "it looks like a queue");
        assert_eq!(feed(3_000, 4), LIMIT_MAX, "but none that refusing makes shorter");
    }

    #[test]
    fn what_was_late_makes_no_base() {
        let mut now = Instant::now();
        let mut controller = Controller::new(1, now);
        let mut feed = |outcome, latency_ms| {
            now += Duration::from_millis(7);
            let (latency, in_flight) = (Duration::from_millis(latency_ms), controller.limit());
            controller.observe(Sample { method: 0, latency, outcome, in_flight }, false, now);
        };
        for _ in 0..100 * SAMPLES_MIN {
            feed(Outcome::Late, 1);
            feed(Outcome::Done, 3_000);
        }
        assert_eq!(controller.limit(), LIMIT_MAX, "its work takes 3 s, and nobody waits");
    }

    #[test]
    fn a_limit_that_nobody_tries_stays() {
        assert_eq!(after(100, |_| 1, |_| 10), LIMIT_START);
    }

    proptest! {
        #[test]
        fn the_limit_keeps_its_bounds(
            samples in prop::collection::vec((0usize..3, 0u64..20_000_000, 1usize..20_000, any::<bool>(), 0u64..50_000), 1..2_000),
        ) {
            let mut now = Instant::now();
            let mut controller = Controller::new(3, now);
            for (method, latency_us, in_flight, refused, later_us) in samples {
                now += Duration::from_micros(later_us);
                let before = controller.limit();
                let latency = Duration::from_micros(latency_us);
                let outcome = if latency_us % 3 == 0 { Outcome::Late } else { Outcome::Done };
                controller.observe(Sample { method, latency, outcome, in_flight }, refused, now);
                let limit = controller.limit();
                prop_assert!((LIMIT_MIN..=LIMIT_MAX).contains(&limit), "{limit}");
                prop_assert!(limit as f64 <= before as f64 * GROWTH_MAX + 2.0, "{before} to {limit}");
            }
        }
    }
}
