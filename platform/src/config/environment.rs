//! A misspelt variable must not go unnoticed: every `HOLDFAST_*` variable that nobody reads stops the start.

use std::collections::BTreeSet;
use std::ffi::OsString;

/// What every name of ours begins with.
const PREFIX: &str = "HOLDFAST_";
/// Read without an argument of their own: worker threads, PostgreSQL's binaries, and the tests' optional data folder.
const READ_ELSEWHERE: [&str; 3] = ["HOLDFAST_THREADS", "HOLDFAST_PG_BIN", "HOLDFAST_DATA"];
/// How alike two names must be to suggest one for the other, from 0 to 1.
const LIKENESS_MIN: f64 = 0.8;

/// A variable that nobody reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing reads the environment variable {name}{}", hint(.nearest.as_deref()))]
pub struct UnknownVariable {
    pub name: String,
    /// What was probably meant.
    pub nearest: Option<String>,
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(": did you mean {name}?")).unwrap_or_default()
}

/// Refuses the first of these variables that has our prefix and that neither the command, nor one of its subcommands,
/// nor anything else of ours reads.
///
/// # Errors
/// Where there is one.
pub fn check_environment(
    command: &clap::Command,
    variables: impl IntoIterator<Item = OsString>,
) -> Result<(), UnknownVariable> {
    let mut known: BTreeSet<String> = READ_ELSEWHERE.map(str::to_owned).into();
    collect(command, &mut known);
    for variable in variables {
        let name = variable.to_string_lossy();
        if name.starts_with(PREFIX) && !known.contains(name.as_ref()) && !is_service_link(&name) {
            return Err(UnknownVariable { nearest: nearest(&name, &known), name: name.into_owned() });
        }
    }
    Ok(())
}

fn collect(command: &clap::Command, known: &mut BTreeSet<String>) {
    known.extend(
        command.get_arguments().filter_map(|arg| arg.get_env()).map(|name| name.to_string_lossy().into_owned()),
    );
    for subcommand in command.get_subcommands() {
        collect(subcommand, known);
    }
}

/// Kubernetes tells pods of every service beside them (`HOLDFAST_GATEWAY_SERVICE_HOST`, `HOLDFAST_GATEWAY_PORT_80_TCP`)
/// unless it is told not to; a release called `holdfast` must start all the same.
fn is_service_link(name: &str) -> bool {
    let ends = ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT"];
    ends.iter().any(|end| name.ends_with(end))
        || name.contains("_SERVICE_PORT_")
        || name.contains("_TCP")
        || name.contains("_UDP")
}

fn nearest(name: &str, known: &BTreeSet<String>) -> Option<String> {
    let likeness = |other: &&String| strsim::normalized_levenshtein(name, other);
    let best = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(&best) >= LIKENESS_MIN).then(|| best.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str) -> Result<(), UnknownVariable> {
        let arg = |id: &'static str, env: &'static str| clap::Arg::new(id).long(id).env(env);
        let command = clap::Command::new("holdfast")
            .arg(arg("grpc", "HOLDFAST_GRPC"))
            .subcommand(clap::Command::new("up").arg(arg("admin", "HOLDFAST_ADMIN")));
        check_environment(&command, [OsString::from("PATH"), OsString::from(name)])
    }

    #[test]
    fn a_misspelt_variable_is_refused_and_the_right_one_named() {
        let refused = check("HOLDFAST_GPRC").expect_err("nobody reads it");
        assert_eq!(refused.nearest.as_deref(), Some("HOLDFAST_GRPC"));
        let message = "nothing reads the environment variable HOLDFAST_GPRC: did you mean HOLDFAST_GRPC?";
        assert_eq!(refused.to_string(), message);
        assert_eq!(check("HOLDFAST_COLOUR_OF_THE_SHED").expect_err("nobody reads it").nearest, None);
    }

    #[test]
    fn what_is_read_is_let_through() {
        let known = ["HOLDFAST_GRPC", "HOLDFAST_ADMIN", "HOLDFAST_THREADS", "DATABASE_URL", "HOLDFASTENER"];
        let links =
            ["HOLDFAST_GATEWAY_SERVICE_HOST", "HOLDFAST_ORDER_SVC_PORT_50053_TCP_ADDR", "HOLDFAST_REC_SVC_PORT"];
        for name in known.into_iter().chain(links) {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }
}
