//! What a gateway may be told, and every bound it keeps.

use std::time::Duration;

/// The gateway's bounds. `Config::default()` suits a public door.
#[derive(Debug, Clone)]
pub struct Config {
    /// The largest request body read.
    pub body_bytes_max: usize,
    /// The request line and headers together.
    pub header_bytes_max: usize,
    /// The largest answer taken from a service.
    pub answer_bytes_max: usize,
    /// The longest a caller may ask for.
    pub timeout_max: Duration,
    /// How long a connection may take to send its first request's headers.
    pub header_timeout: Duration,
    /// How long requests under way may go on after the stop signal.
    pub drain_timeout: Duration,
    /// How often a quiet event stream sends a comment, so that proxies keep it.
    pub heartbeat: Duration,
    /// Connections beyond these wait in the listener's backlog.
    pub connections_max: usize,
    /// How many requests one HTTP/2 connection may have under way.
    pub streams_per_connection_max: u32,
    /// Requests under way beyond these are refused as OVERLOADED; it bounds the memory of bodies.
    pub requests_max: usize,
    /// Event streams open beyond these are refused as OVERLOADED.
    pub watches_max: usize,
    /// Web origins whose pages may call (`https://shop.example`, or `*`). None: no CORS headers at all.
    pub allow_origins: Vec<String>,
    /// What a problem's `type` begins with; the reason is appended.
    pub problem_type_base: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            body_bytes_max: 1 << 20,
            header_bytes_max: 16 << 10,
            answer_bytes_max: 16 << 20,
            timeout_max: Duration::from_secs(60),
            header_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(5),
            heartbeat: Duration::from_secs(15),
            connections_max: 4096,
            streams_per_connection_max: 256,
            requests_max: 2048,
            watches_max: 4096,
            allow_origins: Vec::new(),
            problem_type_base: "https://holdfast.dev/errors/".to_owned(),
        }
    }
}
