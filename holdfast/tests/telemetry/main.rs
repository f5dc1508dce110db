//! What the product tells of itself: traces over every hop, metrics, logs; and what none of them may tell.

#[path = "../e2e/ask.rs"]
#[expect(dead_code, reason = "the end-to-end tests' own; not all of it is needed here")]
mod ask;
#[path = "../e2e/rest.rs"]
#[expect(dead_code, reason = "the end-to-end tests' own; not all of it is needed here")]
mod rest;
#[path = "../e2e/shop.rs"]
#[expect(dead_code, reason = "the end-to-end tests' own; not all of it is needed here")]
mod shop;
#[path = "../e2e/wait.rs"]
mod wait;

mod metrics;
mod secrets;
mod sink;
mod trace;
