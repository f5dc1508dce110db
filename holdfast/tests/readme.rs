//! The README's walk through, executed as written: every `sh` block runs, and what it prints must be what the block after
//! it says. Only the two addresses are replaced, by those of a server of this test's own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A block that is executed, and what the README says it prints.
struct Step {
    script: String,
    /// The language of the block that follows, and its text.
    printed: (String, String),
}

fn steps(readme: &str) -> Vec<Step> {
    let (_, section) = readme.split_once("## A walk through").expect("the section is there");
    let (section, _) = section.split_once("\n## ").expect("another follows");
    let mut blocks = Vec::new();
    let mut lines = section.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((language.to_owned(), text.join("\n")));
        }
    }
    let follows = blocks.iter().skip(1).chain(std::iter::repeat(&blocks[0]));
    let pairs = blocks.iter().zip(follows).filter(|((language, _), _)| language == "sh");
    pairs.map(|((_, script), printed)| Step { script: script.clone(), printed: printed.clone() }).collect()
}

/// A server on free ports and a folder of its own; ends with the test.
struct Server {
    process: Child,
    http: String,
    grpc: String,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut process = Command::new(env!("CARGO_BIN_EXE_holdfast"))
            .args(["up", "--json", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--data-dir"])
            .arg(folder.path().join("data"))
            .env_remove("DATABASE_URL")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says that it is ready");
        let ready: Value = serde_json::from_str(&line).expect("a document");
        let address = |door: &str| {
            let url = ready["ready"][door].as_str().expect("an address");
            url.trim_start_matches("http://").to_owned()
        };
        Self { process, http: address("http"), grpc: address("grpc"), _folder: folder }
    }

    fn run(&self, script: &str) -> String {
        let script = script.replace("127.0.0.1:8080", &self.http).replace("127.0.0.1:50051", &self.grpc);
        let output = Command::new("bash").args(["-euo", "pipefail", "-c", &script]).output().expect("bash is there");
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.process.wait();
    }
}

/// Everything in `said` is in `printed`; more may be.
fn contains(printed: &Value, said: &Value) -> bool {
    match (printed, said) {
        (Value::Object(printed), Value::Object(said)) => {
            said.iter().all(|(key, said)| printed.get(key).is_some_and(|printed| contains(printed, said)))
        }
        (Value::Array(printed), Value::Array(said)) => {
            printed.len() == said.len() && printed.iter().zip(said).all(|(printed, said)| contains(printed, said))
        }
        (printed, said) => printed == said,
    }
}

fn is_installed(tool: &str) -> bool {
    Command::new("sh").args(["-c", &format!("command -v {tool}")]).output().is_ok_and(|found| found.status.success())
}

#[test]
fn the_walk_through_does_what_it_says() {
    let steps = steps(include_str!("../../README.md"));
    assert!(steps.len() >= 10, "the walk through has lost its steps");
    let server = Server::start();
    for Step { script, printed: (language, said) } in steps {
        if script.starts_with("grpcurl") && !is_installed("grpcurl") {
            eprintln!("SKIPPED: grpcurl is not installed: {script}");
            continue;
        }
        let printed = server.run(&script);
        match language.as_str() {
            "json" => {
                let said: Value = serde_json::from_str(&said).expect("the README's JSON");
                let printed: Value = serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{script}\n{printed}"));
                assert!(contains(&printed, &said), "{script}\nprints {printed:#}\nnot {said:#}");
            }
            "text" => {
                assert_eq!(printed.lines().collect::<Vec<_>>(), said.lines().collect::<Vec<_>>(), "{script}");
            }
            other => panic!("{script}\nis followed by a block of {other:?}, not by what it prints"),
        }
    }
}
