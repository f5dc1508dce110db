use super::*;

const CHANCE: f64 = 1.0;
const CALL: bool = false;
const PROBE: bool = true;

fn opened(at: Instant) -> Breaker {
    let mut breaker = Breaker::default();
    for _ in 1..FAILURES_IN_A_ROW_MAX {
        assert_eq!(breaker.record_failure(at, CHANCE, CALL), Change::None);
    }
    assert_eq!(breaker.record_failure(at, CHANCE, CALL), Change::Opened);
    breaker
}

#[test]
fn failures_in_a_row_open_it_and_a_success_between_them_does_not() {
    let now = Instant::now();
    assert_eq!(opened(now).admission(now), Admission::Refused);
    let mut breaker = Breaker::default();
    for _ in 0..WINDOW_CALLS_MIN {
        breaker.record_success(now, CALL);
        breaker.record_failure(now, CHANCE, CALL);
        breaker.record_success(now, CALL);
    }
    assert_eq!(breaker.admission(now), Admission::Admitted);
}

#[test]
fn a_bad_rate_over_the_window_opens_it_and_old_failures_are_forgotten() {
    let mut now = Instant::now();
    let fail_two_of_three = |breaker: &mut Breaker, now: Instant| {
        breaker.record_success(now, CALL);
        breaker.record_failure(now, CHANCE, CALL);
        breaker.record_failure(now, CHANCE, CALL);
    };
    let mut breaker = Breaker::default();
    for _ in 0..WINDOW_CALLS_MIN {
        fail_two_of_three(&mut breaker, now);
    }
    assert_eq!(breaker.admission(now), Admission::Refused);

    let mut breaker = Breaker::default();
    for _ in 0..WINDOW_CALLS_MIN {
        fail_two_of_three(&mut breaker, now);
        assert_eq!(breaker.admission(now), Admission::Admitted, "too few calls in any window");
        now += WINDOW;
    }
}

#[test]
fn one_probe_passes_and_decides() {
    let now = Instant::now();
    let mut breaker = opened(now);
    let due = now + PAUSE_INITIAL;
    assert_eq!(breaker.admission(due), Admission::ProbeDue { since: due });
    breaker.begin_probe(due);
    assert_eq!(breaker.admission(due), Admission::Refused, "one probe at a time");
    assert_eq!(breaker.record_success(due, PROBE), Change::Closed);
    assert_eq!(breaker.admission(due), Admission::Admitted);
}

#[test]
fn pauses_double_with_each_failed_probe_up_to_a_bound() {
    let mut now = Instant::now();
    let mut breaker = opened(now);
    let mut pause = PAUSE_INITIAL;
    for _ in 0..10 {
        assert_eq!(breaker.admission(now + pause - Duration::from_millis(1)), Admission::Refused);
        now += pause;
        assert_eq!(breaker.admission(now), Admission::ProbeDue { since: now });
        breaker.begin_probe(now);
        assert_eq!(breaker.record_failure(now, CHANCE, PROBE), Change::Opened);
        pause = (pause * 2).min(PAUSE_MAX);
    }
    assert_eq!(pause, PAUSE_MAX);
}

#[test]
fn a_probe_without_an_outcome_leaves_room_for_the_next() {
    let now = Instant::now();
    let mut breaker = opened(now);
    let due = now + PAUSE_INITIAL;
    breaker.begin_probe(due);
    breaker.forget_probe(due);
    assert_eq!(breaker.admission(due), Admission::ProbeDue { since: due });
    breaker.begin_probe(due);
    let lost = due + PROBE_PATIENCE;
    assert_eq!(breaker.admission(lost), Admission::ProbeDue { since: lost }, "nor does a lost one shut it for ever");
}

#[test]
fn late_answers_neither_close_nor_reopen_it() {
    let now = Instant::now();
    let mut breaker = opened(now);
    assert_eq!(breaker.record_success(now, CALL), Change::None);
    assert_eq!(breaker.admission(now), Admission::Refused);
    let due = now + PAUSE_INITIAL;
    breaker.begin_probe(due);
    assert_eq!(breaker.record_success(due, CALL), Change::None, "only the probe closes it");
    assert_eq!(breaker.record_failure(due, CHANCE, CALL), Change::None, "only the probe opens it anew");
    assert_eq!(breaker.record_success(due, PROBE), Change::Closed);
    assert_eq!(breaker.admission(due), Admission::Admitted, "what came late is forgotten");
}

#[test]
fn one_whose_pause_is_over_is_told_as_probing_though_nobody_calls() {
    let now = Instant::now();
    let breaker = opened(now);
    assert_eq!(breaker.shut_until(), Some(now + PAUSE_INITIAL));
    assert_eq!(breaker.state(now), BreakerState::Open);
    assert_eq!(breaker.state(now + PAUSE_INITIAL), BreakerState::Probing);
}
