//! The whole product, as its users meet it: every service, both transports, the real binary on its own data folder.

/// Runs each law on a system whose services call each other directly, and on one whose services use sockets.
macro_rules! over_both_transports {
    ($($law:ident),+ $(,)?) => {
        mod in_process {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $law() {
                Box::pin(super::$law(holdfast::system::Transport::InProcess)).await;
            })+
        }
        mod tcp {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $law() {
                Box::pin(super::$law(holdfast::system::Transport::Tcp)).await;
            })+
        }
    };
}

mod admin;
mod ask;
mod audit;
mod bad_input;
mod binary;
mod crowd;
mod event_source;
mod events;
mod kill;
mod order;
mod oversell;
mod payment;
mod raw;
mod recommendation;
mod reflection;
mod reservation;
mod rest;
mod shop;
mod start;
mod stock;
mod stop;
mod wait;
mod watch;
