//! `holdfast dev-certs`: a certificate authority for development, and a certificate for each workload. Run again, it keeps
//! the authority and rotates the certificates under running services.

mod folder;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use holdfast_contracts::Workload;
use holdfast_platform::tls::authority::Authority;
use holdfast_platform::tls::{Files, SpiffeId, TrustDomain};
use serde_json::json;

use crate::output::Output;
use folder::write_whole;

const DAY: Duration = Duration::from_secs(86_400);
/// How long an authority lasts, in days. Whoever trusts it must be told of the next.
const AUTHORITY_DAYS: u32 = 3650;
/// Keys are their owner's alone.
const PRIVATE: u32 = 0o600;
const PUBLIC: u32 = 0o644;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where everything goes: the authority, and a folder for each workload.
    #[arg(long, default_value = "certs")]
    out: PathBuf,
    /// How long the workloads' certificates last.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=i64::from(AUTHORITY_DAYS)))]
    days: u32,
    /// The SPIFFE trust domain they belong to.
    #[arg(long, env = "HOLDFAST_TRUST_DOMAIN", default_value = "holdfast")]
    trust_domain: TrustDomain,
}

pub(crate) fn run(args: &Args, output: Output) -> anyhow::Result<ExitCode> {
    let made = make(args)?;
    if output.is_json() {
        println!("{}", made.json());
    } else {
        made.print();
    }
    Ok(ExitCode::SUCCESS)
}

/// What lies in the folder now.
struct Made {
    authority: Paths,
    /// Whether the authority is new: nobody trusts it yet.
    is_new: bool,
    workloads: Vec<(Workload, SpiffeId, Files)>,
    not_after: SystemTime,
}

/// The authority's files.
struct Paths {
    cert: PathBuf,
    key: PathBuf,
}

fn make(args: &Args) -> anyhow::Result<Made> {
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make {}", args.out.display()))?;
    let paths = Paths { cert: args.out.join("ca.crt"), key: args.out.join("ca.key") };
    let (authority, is_new) = authority(&paths)?;
    let mut workloads = Vec::new();
    let mut not_after = SystemTime::now() + DAY * args.days;
    for workload in Workload::ALL {
        let id = args.trust_domain.id_of(workload);
        let (files, end) = renew(&authority, &id, &args.out.join(workload.as_str()), DAY * args.days)?;
        not_after = not_after.min(end);
        workloads.push((workload, id, files));
    }
    Ok(Made { authority: paths, is_new, workloads, not_after })
}

/// The folder's authority; a new one where it has none.
fn authority(paths: &Paths) -> anyhow::Result<(Authority, bool)> {
    match (paths.cert.exists(), paths.key.exists()) {
        (true, true) => {
            let read =
                |path: &Path| std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
            let kept = Authority::from_pem(&read(&paths.cert)?, &read(&paths.key)?).with_context(|| {
                format!("cannot use {}: move it and its key away for a new one", paths.cert.display())
            })?;
            Ok((kept, false))
        }
        (false, false) => {
            let made = Authority::make(DAY * AUTHORITY_DAYS)?;
            // The key first: a certificate without one is of no use.
            write_whole(&paths.key, &made.key_pem(), PRIVATE)?;
            write_whole(&paths.cert, made.cert_pem(), PUBLIC)?;
            Ok((made, true))
        }
        (true, false) => anyhow::bail!("{} has no key beside it", paths.cert.display()),
        (false, true) => anyhow::bail!("{} has no certificate beside it", paths.key.display()),
    }
}

/// A new certificate in a workload's folder; gives its end.
fn renew(authority: &Authority, id: &SpiffeId, folder: &Path, life: Duration) -> anyhow::Result<(Files, SystemTime)> {
    let issued = authority.issue(id, life)?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let files = Files::in_folder(folder);
    write_whole(&files.ca, authority.cert_pem(), PUBLIC)?;
    write_whole(&files.key, &issued.key, PRIVATE)?;
    write_whole(&files.cert, &issued.cert, PUBLIC)?;
    Ok((files, issued.not_after))
}

impl Made {
    fn not_after(&self) -> String {
        jiff::Timestamp::try_from(self.not_after)
            .map(|end| end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
            .unwrap_or_default()
    }

    fn json(&self) -> serde_json::Value {
        let workloads = self.workloads.iter().map(|(workload, id, files)| {
            json!({"workload": workload.as_str(), "id": id.as_str(), "cert": files.cert, "key": files.key, "ca": files.ca})
        });
        json!({
            "authority": {"cert": self.authority.cert, "key": self.authority.key, "isNew": self.is_new},
            "notAfter": self.not_after(),
            "workloads": workloads.collect::<Vec<_>>(),
        })
    }

    fn print(&self) {
        let state = if self.is_new { "new" } else { "kept" };
        println!(
            "authority      {} ({state}), its key {}",
            self.authority.cert.display(),
            self.authority.key.display()
        );
        for (workload, id, files) in &self.workloads {
            let folder = files.cert.parent().unwrap_or(Path::new("."));
            println!("{:<14} {}  {id}", workload.as_str(), folder.display());
        }
        println!(
            "good until     {}; run this again for new ones, which running services take up in seconds",
            self.not_after()
        );
        println!("\nnext:");
        for (workload, _, Files { cert, key, ca }) in &self.workloads {
            let (cert, key, ca) = (cert.display(), key.display(), ca.display());
            match workload {
                Workload::InventorySvc | Workload::OrderSvc | Workload::RecSvc | Workload::Gateway => {
                    println!("  {workload} --tls-cert {cert} --tls-key {key} --tls-ca {ca}");
                }
                Workload::Operator => println!("  grpcurl -cacert {ca} -cert {cert} -key {key} localhost:50052 list"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use holdfast_platform::tls::Identity;

    use super::*;

    fn args(out: &Path) -> Args {
        Args { out: out.to_owned(), days: 30, trust_domain: "holdfast".parse().expect("a trust domain") }
    }

    #[tokio::test]
    async fn every_workload_gets_an_identity_and_a_second_run_rotates_it() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let first = make(&args(folder.path())).expect("made");
        assert!(first.is_new);
        let read = |files: &Files| [&files.cert, &files.key, &files.ca].map(|path| std::fs::read(path).expect("read"));
        for (workload, _, files) in &first.workloads {
            let loaded = Identity::load(files.clone(), "holdfast".parse().expect("a trust domain"), *workload).await;
            let life_left = loaded.unwrap_or_else(|error| panic!("{workload}: {error}")).life_left();
            assert!(life_left > DAY * 29 && life_left <= DAY * 30, "{life_left:?}");
        }
        let before: Vec<_> = first.workloads.iter().map(|(_, _, files)| read(files)).collect();
        let second = make(&args(folder.path())).expect("made again");
        assert!(!second.is_new);
        for ((_, _, files), [cert, key, ca]) in second.workloads.iter().zip(before) {
            let [new_cert, new_key, new_ca] = read(files);
            assert!(cert != new_cert && key != new_key && ca == new_ca);
        }
    }

    #[test]
    fn keys_are_their_owners_alone_and_nothing_else_is_left_behind() {
        let folder = tempfile::TempDir::new().expect("a folder");
        make(&args(folder.path())).expect("made");
        let made = make(&args(folder.path())).expect("made again");
        let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&made.authority.key), 0o600);
        for (_, _, files) in &made.workloads {
            assert_eq!(mode(&files.key), 0o600);
            assert_eq!(std::fs::read_dir(files.key.parent().expect("a folder")).expect("read").count(), 3);
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 2 + Workload::ALL.len());
    }

    #[test]
    fn an_authority_that_cannot_be_used_is_never_written_over() {
        let folder = tempfile::TempDir::new().expect("a folder");
        make(&args(folder.path())).expect("made");
        let (cert, key) = (folder.path().join("ca.crt"), folder.path().join("ca.key"));
        let refused = |why: &str| {
            let error = make(&args(folder.path())).err().unwrap_or_else(|| panic!("taken, though: {why}"));
            assert!(format!("{error:#}").contains(why), "{error:#}");
        };
        let other = Authority::make(DAY).expect("randomness");
        std::fs::write(&key, other.key_pem()).expect("written");
        refused("do not belong together");
        std::fs::write(&key, "no key").expect("written");
        refused("key cannot be read");
        std::fs::remove_file(&key).expect("removed");
        refused("no key beside it");
        std::fs::write(&key, other.key_pem()).expect("written");
        std::fs::write(&cert, "no certificate").expect("written");
        refused("certificate cannot be read");
        std::fs::remove_file(&cert).expect("removed");
        refused("no certificate beside it");
        assert_eq!(std::fs::read_to_string(&key).expect("there"), other.key_pem());
    }
}
