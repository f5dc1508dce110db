//! The rules and dashboards as they are written.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// An expression, and where it is written.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    pub(crate) place: String,
    pub(crate) text: String,
}

/// One alert.
#[derive(Debug)]
pub(crate) struct Alert {
    pub(crate) name: String,
    pub(crate) rule: Value,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository")
}

/// The files in a folder, by name.
pub(crate) fn list(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).expect("a folder");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} is empty");
    files
}

pub(crate) fn read_yaml(file: &Path) -> Value {
    serde_saphyr::from_str(&read(file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

pub(crate) fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

pub(crate) fn members(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// Every rule of every group.
fn rules() -> Vec<Value> {
    let files = list("helm/holdfast/rules");
    let groups = files.iter().flat_map(|file| members(&read_yaml(file)["groups"]).to_vec());
    groups.flat_map(|group| members(&group["rules"]).to_vec()).collect()
}

pub(crate) fn alerts() -> Vec<Alert> {
    let alerts = rules().into_iter().filter(|rule| rule["alert"].is_string());
    alerts.map(|rule| Alert { name: text(&rule["alert"]).to_owned(), rule }).collect()
}

/// The names that recording rules give.
pub(crate) fn recorded() -> Vec<String> {
    let names = rules().into_iter().filter_map(|rule| rule["record"].as_str().map(str::to_owned));
    names.collect()
}

/// What every rule asks.
pub(crate) fn rule_expressions() -> Vec<Expression> {
    let expression = |rule: &Value| {
        let name = rule["alert"].as_str().or(rule["record"].as_str()).expect("a rule has a name");
        Expression { place: name.to_owned(), text: text(&rule["expr"]).to_owned() }
    };
    rules().iter().map(expression).collect()
}

/// What every panel asks, with the variables as they are where everything is chosen.
pub(crate) fn panel_expressions() -> Vec<Expression> {
    let mut expressions = Vec::new();
    for file in list("helm/holdfast/dashboards") {
        let dashboard: Value = serde_json::from_str(&read(&file)).expect("JSON");
        for panel in members(&dashboard["panels"]) {
            for target in members(&panel["targets"]) {
                let text = text(&target["expr"]);
                let text = text.replace("$namespace", ".*").replace("$job", "holdfast/.*");
                // Long enough to hold all that the test did.
                let text = text.replace("$__rate_interval", "10m");
                let place = format!("{} / {}", dashboard["title"], panel["title"]).replace('"', "");
                expressions.push(Expression { place, text });
            }
        }
    }
    expressions
}
