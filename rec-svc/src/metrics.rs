//! What the service counts. Every label is a word of the code: no shopper, no product.

use holdfast_platform::telemetry::value::{Counter, Gauge};
use holdfast_platform::{label, metrics};

label! {
    /// What the check against the stock said of a candidate.
    pub(crate) enum Checked = "checked" {
        /// It was shown, or could have been.
        Available = "available",
        SoldOut = "sold_out",
        /// The catalogue does not offer it.
        Unlisted = "unlisted",
    }
}

label! {
    /// How much of what was asked for an answer has.
    pub(crate) enum Filled = "filled" { Full = "full", Short = "short", Empty = "empty" }
}

label! {
    /// Why an answer did not come from the model's first choice.
    pub(crate) enum Fallback = "reason" {
        /// Nothing is known of the shopper.
        Unknown = "unknown_shopper",
        /// Too little of the first choice can be bought.
        SoldOut = "sold_out",
        /// The stock's stream lags: finalists are checked live.
        StockLag = "stock_lag",
    }
}

metrics! {
    /// The service's metrics.
    pub(crate) struct Metrics of "rec-svc" {
        /// Events made durable, repetitions not counted.
        pub(crate) recorded: Counter, [] = "holdfast.rec.events.recorded";
        /// Events the model has learned from since the start.
        pub(crate) folded: Counter, [] = "holdfast.rec.events.folded";
        /// When the model last had all of the log, in Unix time: its age is the time since.
        pub(crate) fresh_at: Gauge, [] = "holdfast.rec.model.fresh.timestamp" as seconds;
        /// Candidates, by what the check against the stock said.
        pub(crate) checked: Counter, [Checked] = "holdfast.rec.candidates";
        /// Answers, by how much they had of what was asked for.
        pub(crate) answers: Counter, [Filled] = "holdfast.rec.answers";
        /// Answers that are not the model's first choice, by why.
        pub(crate) fallbacks: Counter, [Fallback] = "holdfast.rec.fallbacks";
    }
}
