//! What the service counts. Every label is a word of the code: no shopper, no order, no token.

use std::sync::LazyLock;

use holdfast_platform::telemetry::histogram::{Histogram, Seconds};
use holdfast_platform::telemetry::label::Label;
use holdfast_platform::telemetry::value::{Counter, UpDown};
use holdfast_platform::{label, metrics};

use crate::domain::failure::FailureReason;
use crate::domain::order::OrderState;
use crate::domain::saga::{Saga, Step};

/// A closed list of the domain's is a label as it is.
macro_rules! label_of {
    ($list:ident, $name:literal) => {
        impl Label for $list {
            const NAME: &'static str = $name;

            fn words() -> &'static [&'static str] {
                static WORDS: LazyLock<Vec<&'static str>> =
                    LazyLock::new(|| $list::ALL.iter().map(|value| value.as_str()).collect());
                &WORDS
            }

            fn place(self) -> usize {
                self as usize
            }
        }
    };
}

label_of!(OrderState, "state");
label_of!(FailureReason, "reason");
label_of!(Step, "step");

label! {
    /// Whether a payment provider answered.
    pub(crate) enum Answered = "answered" { Yes = "yes", No = "no" }
}

metrics! {
    /// The service's metrics.
    pub(crate) struct Metrics of "order-svc" {
        /// Orders that came to be in a state; pending less the others is how many are under way.
        pub(crate) orders: Counter, [OrderState] = "holdfast.order.orders";
        /// Orders that came to nothing, by why.
        pub(crate) failures: Counter, [FailureReason] = "holdfast.order.failures";
        /// Steps that undid what an order had done: VOID, REFUND, RELEASE, RESTOCK.
        pub(crate) compensations: Counter, [Step] = "holdfast.order.compensations";
        /// Steps that nobody answered for, and that are tried again.
        pub(crate) unanswered: Counter, [Step] = "holdfast.order.steps.unanswered";
        /// Orders placed again under an id that had one, answered from the first.
        pub(crate) replays: Counter, [] = "holdfast.order.replays";
        /// Orders that a task of this process works on.
        pub(crate) running: UpDown, [] = "holdfast.order.running";
        /// How long payment providers took, by the step that asked them.
        pub(crate) payments: Histogram<Seconds>, [Step, Answered] = "holdfast.order.payment.duration" as seconds;
    }
}

/// An order being worked on, counted while it is.
pub(crate) struct Running(());

impl Running {
    pub(crate) fn new() -> Self {
        Metrics::get().running.add(1);
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        Metrics::get().running.add(-1);
    }
}

/// Counts a step of an order's saga that was written down.
pub(crate) fn count(before: &Saga, after: &Saga) {
    let metrics = Metrics::get();
    if after.state != before.state {
        metrics.orders.of((after.state,)).add(1);
        if let (OrderState::Cancelled, Some(failure)) = (after.state, &after.failure) {
            metrics.failures.of((failure.reason,)).add(1);
        }
    }
    if after.step == before.step {
        if after.attempts > before.attempts {
            metrics.unanswered.of((before.step,)).add(1);
        }
        return;
    }
    match before.step {
        Step::Void | Step::Refund | Step::Release | Step::Restock => metrics.compensations.of((before.step,)).add(1),
        Step::Reserve
        | Step::Authorize
        | Step::Lookup
        | Step::Confirm
        | Step::Capture
        | Step::Placed
        | Step::Watch
        | Step::Cancelled => {}
    }
}
