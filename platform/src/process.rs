//! The process's own life.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};

/// Resolves when the process is asked to stop: SIGINT (Ctrl-C) or SIGTERM. Listens from the call on, not only from the
/// first poll: a signal that comes in between ends nothing half-way and is not lost. Call it inside a runtime.
pub fn stop_signal() -> impl Future<Output = ()> + Send + 'static {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
            // Without handlers the signals end the process by themselves.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
