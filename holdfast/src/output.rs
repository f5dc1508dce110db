//! What operator commands print: text for people, or one JSON document for programs.

use std::process::ExitCode;

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
}
