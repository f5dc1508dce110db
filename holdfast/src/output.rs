//! What operator commands print: text for people, or one JSON document for programs; and how far long work is.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Where a command's words go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Says why a command failed, on stderr (and as JSON on stdout where asked), and gives its exit code.
    pub(crate) fn fail(self, error: &anyhow::Error) -> ExitCode {
        if self.json {
            println!("{}", serde_json::json!({ "error": format!("{error:#}") }));
        }
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    }

    /// Follows work of `total` steps, on stderr: stdout is for the result.
    pub(crate) fn progress(self, label: &str, total: u64) -> Progress {
        let shown = if std::io::stderr().is_terminal() {
            Shown::Bar(bar(label, total))
        } else if self.json {
            Shown::Nothing
        } else {
            Shown::Lines
        };
        Progress { label: label.to_owned(), total, done: AtomicU64::new(0), shown }
    }
}

/// How many plain lines one progress prints at most, its last included.
const LINES_MAX: u64 = 10;

/// How far a piece of long work is: a bar on a terminal, a few plain lines elsewhere.
#[derive(Debug)]
pub(crate) struct Progress {
    label: String,
    total: u64,
    done: AtomicU64,
    shown: Shown,
}

#[derive(Debug)]
enum Shown {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

impl Progress {
    pub(crate) fn advance(&self, steps: u64) {
        let before = self.done.fetch_add(steps, Ordering::Relaxed);
        let done = before + steps;
        match &self.shown {
            Shown::Bar(bar) => bar.inc(steps),
            Shown::Lines if line_is_due(before, done, self.total) => {
                eprintln!("{}: {done} of {}", self.label, self.total);
            }
            Shown::Lines | Shown::Nothing => {}
        }
    }
}

impl Drop for Progress {
    /// The bar goes, so that what is printed next starts on a line of its own.
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

/// Whether going from `before` to `done` crossed one of the steps worth a line.
fn line_is_due(before: u64, done: u64, total: u64) -> bool {
    let step = total.div_ceil(LINES_MAX).max(1);
    done / step > before / step || (done >= total && before < total)
}

fn bar(label: &str, total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr())
        .with_style(style)
        .with_prefix(label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_prints_few_lines_and_always_the_last() {
        for total in [1, 7, 10, 999, 1000] {
            let lines: Vec<u64> = (0..total).map(|n| n + 1).filter(|&n| line_is_due(n - 1, n, total)).collect();
            assert!(lines.len() as u64 <= LINES_MAX, "{total}: {lines:?}");
            assert_eq!(lines.last(), Some(&total));
        }
    }
}
