//! The chart's contract with the binaries: what `helm template` renders is run here, as it is written. Each container's
//! command, arguments, environment and ports are the manifest's own; only addresses, the database and mounted files are
//! replaced by this machine's. Skipped, loudly, where helm is not installed (`make tools` does).

mod http;
mod manifests;
mod pod;
mod rules;
mod run;
