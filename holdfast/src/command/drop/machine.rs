//! What the drop was played on: figures mean nothing without it.

use serde::Serialize;

/// The client's machine; the shop's own, where its address is local.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Machine {
    pub(crate) holdfast: &'static str,
    pub(crate) build: &'static str,
    pub(crate) system: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    /// When the drop was over, in UTC.
    pub(crate) played: String,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str, separator| {
            text.lines()
                .find_map(|line| line.split_once(separator).filter(|(key, _)| key.trim() == name))
                .map(|(_, value)| value.trim().trim_matches('"').to_owned())
        };
        let system = field(&read("/etc/os-release"), "PRETTY_NAME", '=');
        let kernel = read("/proc/sys/kernel/osrelease");
        let system = system.unwrap_or_else(|| std::env::consts::OS.to_owned());
        let memory_kib = field(&read("/proc/meminfo"), "MemTotal", ':')
            .and_then(|memory| memory.split_whitespace().next()?.parse::<u64>().ok());
        Self {
            holdfast: env!("CARGO_PKG_VERSION"),
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
            system: format!("{system} {} {}", kernel.trim(), std::env::consts::ARCH),
            processor: field(&read("/proc/cpuinfo"), "model name", ':').unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: memory_kib.unwrap_or_default().div_ceil(1 << 20),
            played: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        }
    }
}
