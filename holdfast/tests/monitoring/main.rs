//! The dashboards and alerts of the chart: that each has its page and its tests, that they speak of metrics there are, and
//! that a real Prometheus on the running mesh finds data for every one of them.

#[path = "../e2e/rest.rs"]
#[expect(dead_code, reason = "the end-to-end tests' own; not all of it is needed here")]
mod rest;
#[path = "../e2e/wait.rs"]
mod wait;

mod files;
mod live;
mod names;
mod pages;
mod prometheus;
mod promql;
mod traffic;
