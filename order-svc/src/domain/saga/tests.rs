//! The saga's table, and the laws that every path through it keeps.

use std::collections::HashSet;

use super::*;
use crate::domain::charge::ChargeStatus::{Authorized, Captured, Declined, Refunded, Voided};

fn failure(reason: FailureReason) -> Failure {
    Failure::new(reason, "as told")
}

fn at(step: Step, state: OrderState, payment: PaymentState) -> Saga {
    Saga { step, state, payment, failure: None, attempts: 0 }
}

fn undone(step: Step, state: OrderState, payment: PaymentState, reason: FailureReason) -> Saga {
    Saga { failure: Some(failure(reason)), ..at(step, state, payment) }
}

/// After `events` from the start: step, state, payment, reason.
fn check(events: &[Event], expected: (Step, OrderState, PaymentState, Option<FailureReason>)) {
    let mut saga = Saga::start();
    for event in events {
        saga = next(&saga, event.clone()).expect("the event can happen");
    }
    let reason = saga.failure.as_ref().map(|failure| failure.reason);
    assert_eq!((saga.step, saga.state, saga.payment, reason), expected, "after {events:?}");
}

#[test]
fn each_story_ends_where_it_should() {
    use Event::{AlreadyConfirmed, CancelAsked, Charge, Confirmed, Held, Released, Restocked, Unanswered};
    use FailureReason::{Customer, InsufficientStock, PaymentDeclined, PaymentTimeout, ReservationState};
    use OrderState::{Cancelled, Placed};

    let sold = [Held, Charge(Some(Authorized)), Confirmed, Charge(Some(Captured))];
    check(&sold, (Step::Placed, Placed, PaymentState::Captured, None));

    let dropped = [Held, Unanswered, Charge(Some(Authorized)), Confirmed, Charge(Some(Captured))];
    check(&dropped, (Step::Placed, Placed, PaymentState::Captured, None));

    let refused = Event::HoldRefused(failure(InsufficientStock));
    check(&[refused], (Step::Cancelled, Cancelled, PaymentState::None, Some(InsufficientStock)));

    let declined = [Held, Charge(Some(Declined)), Released];
    check(&declined, (Step::Cancelled, Cancelled, PaymentState::Failed, Some(PaymentDeclined)));

    let silent = [Held, Unanswered, Charge(None), Released];
    check(&silent, (Step::Watch, Cancelled, PaymentState::Failed, Some(PaymentTimeout)));

    let late = [Held, Unanswered, Charge(None), Released, Charge(None), Charge(Some(Authorized)), Charge(Some(Voided))];
    check(&late, (Step::Cancelled, Cancelled, PaymentState::Voided, Some(PaymentTimeout)));

    let lost_hold = Event::ConfirmRefused(failure(ReservationState));
    let unsold = [Held, Charge(Some(Authorized)), lost_hold.clone(), Charge(Some(Voided)), Released];
    check(&unsold, (Step::Cancelled, Cancelled, PaymentState::Voided, Some(ReservationState)));

    let raced = [Held, Charge(Some(Authorized)), lost_hold, Charge(Some(Voided)), AlreadyConfirmed, Restocked];
    check(&raced, (Step::Cancelled, Cancelled, PaymentState::Voided, Some(ReservationState)));

    let returned = [&sold[..], &[CancelAsked, Charge(Some(Refunded)), Restocked]].concat();
    check(&returned, (Step::Cancelled, Cancelled, PaymentState::Refunded, Some(Customer)));

    let uncaptured = [&sold[..3], &[CancelAsked, Charge(Some(Voided)), Restocked]].concat();
    check(&uncaptured, (Step::Cancelled, Cancelled, PaymentState::Voided, Some(Customer)));

    let just_captured =
        [&sold[..3], &[CancelAsked, Charge(Some(Captured)), Charge(Some(Refunded)), Restocked]].concat();
    check(&just_captured, (Step::Cancelled, Cancelled, PaymentState::Refunded, Some(Customer)));

    let lapsed = [&sold[..3], &[Charge(Some(Voided)), Restocked]].concat();
    check(&lapsed, (Step::Cancelled, Cancelled, PaymentState::Failed, Some(PaymentDeclined)));
}

#[test]
fn a_hold_that_cannot_be_had_is_given_up_and_a_commit_never() {
    let mut saga = Saga::start();
    for _ in 0..RESERVE_ATTEMPTS_MAX {
        saga = next(&saga, Event::Unanswered).expect("it may go unanswered");
    }
    assert_eq!(saga.step, Step::Release);
    let mut saga = at(Step::Confirm, OrderState::Pending, PaymentState::Authorized);
    for _ in 0..1000 {
        saga = next(&saga, Event::Unanswered).expect("it may go unanswered");
    }
    assert_eq!(saga.step, Step::Confirm);
}

#[test]
fn units_an_order_never_committed_are_not_restocked_for_it() {
    let given_up = undone(Step::Release, OrderState::Pending, PaymentState::None, FailureReason::Unavailable);
    assert_eq!(next(&given_up, Event::AlreadyConfirmed).expect("it can happen").step, Step::Cancelled);
}

#[test]
fn the_first_failure_is_the_one_told() {
    let saga = undone(Step::Capture, OrderState::Placed, PaymentState::Authorized, FailureReason::Customer);
    let saga = next(&saga, Event::Charge(Some(Voided))).expect("it can happen");
    assert_eq!(saga.failure.map(|failure| failure.reason), Some(FailureReason::Customer));
}

/// Walks every path from the start.
#[test]
fn every_reachable_saga_keeps_the_laws() {
    let events = [
        Event::Held,
        Event::HoldRefused(failure(FailureReason::InsufficientStock)),
        Event::Confirmed,
        Event::ConfirmRefused(failure(FailureReason::ReservationState)),
        Event::Released,
        Event::AlreadyConfirmed,
        Event::Restocked,
        Event::Charge(None),
        Event::Charge(Some(Authorized)),
        Event::Charge(Some(Captured)),
        Event::Charge(Some(Voided)),
        Event::Charge(Some(Refunded)),
        Event::Charge(Some(Declined)),
        Event::Unanswered,
        Event::CancelAsked,
    ];
    let mut seen = HashSet::new();
    let mut open = vec![Saga::start()];
    while let Some(saga) = open.pop() {
        let reason = saga.failure.as_ref().map(|failure| failure.reason);
        if !seen.insert((saga.step, saga.state, saga.payment, reason, saga.attempts.min(200))) {
            continue;
        }
        check_laws(&saga);
        let successors: Vec<Saga> = events.iter().filter_map(|event| next(&saga, event.clone()).ok()).collect();
        assert_eq!(successors.is_empty(), saga.step == Step::Cancelled, "{saga:?} has no way on");
        // Unbounded retries are one state for this walk.
        open.extend(successors.into_iter().filter(|saga| saga.attempts < 200));
    }
    for step in Step::ALL {
        assert!(seen.iter().any(|(seen, ..)| seen == step), "{step} is never reached");
    }
}

fn check_laws(saga: &Saga) {
    let captured = saga.payment == PaymentState::Captured;
    assert!(!captured || saga.state == OrderState::Placed, "captured without an order: {saga:?}");
    let cancelled = saga.state == OrderState::Cancelled;
    assert!(!cancelled || saga.failure.is_some(), "cancelled without a reason: {saga:?}");
    assert!(saga.step != Step::Placed || captured, "placed for good, not paid: {saga:?}");
    let unsettled = matches!(saga.payment, PaymentState::Authorized | PaymentState::Captured);
    assert!(saga.step != Step::Cancelled || !unsettled, "cancelled with money held: {saga:?}");
}

#[test]
fn waits_double_up_to_their_longest() {
    let (first, longest) = (Duration::from_millis(100), Duration::from_secs(5));
    assert_eq!(backoff(first, longest, 0), first);
    assert_eq!(backoff(first, longest, 3), Duration::from_millis(800));
    assert_eq!(backoff(first, longest, i32::MAX), longest);
}
