//! Certificates and authorities change under calls, and nobody notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::SystemTime;

use holdfast_contracts::Workload;
use holdfast_platform::task::spawn_joined;
use holdfast_platform::tls::authority::Authority;
use holdfast_platform::tls::{Identity, Looked};
use tokio::task::JoinHandle;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::mesh::{DAY, Folder, authority, channel, check, domain, serve, soon};

/// A workload whose files change.
struct Changing {
    folder: Folder,
    identity: Identity,
    workload: Workload,
}

impl Changing {
    async fn new(authority: &Authority, workload: Workload) -> Self {
        let folder = Folder::new(authority, workload);
        let identity = folder.load(workload).await.expect("a good identity");
        Self { folder, identity, workload }
    }

    async fn take(&self, own: &Authority, believed: &[&Authority]) {
        self.folder.put(&own.issue(&domain().id_of(self.workload), DAY).expect("issued"));
        let bundle: String = believed.iter().map(|authority| authority.cert_pem()).collect();
        self.folder.write("ca.crt", &bundle);
        assert_eq!(self.identity.look().await, Looked::Swapped);
    }
}

/// Calls without pause until it is told to stop: over one connection that stays, and over a new one each time.
struct Calls {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    tasks: [JoinHandle<Result<(), tonic::Status>>; 2],
}

impl Calls {
    fn start(client: &Identity, address: std::net::SocketAddr) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let tasks = [true, false].map(|stays| {
            let (stop, done, client) = (stop.clone(), done.clone(), client.clone());
            spawn_joined(async move {
                let open = channel(&client, Workload::InventorySvc, address);
                while !stop.load(Ordering::Relaxed) {
                    let fresh = if stays { open.clone() } else { channel(&client, Workload::InventorySvc, address) };
                    check(&fresh).await?;
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            })
        });
        Self { stop, done, tasks }
    }

    /// Waits for some calls that began after this.
    async fn some_more(&self) {
        let enough = self.done.load(Ordering::Relaxed) + 10;
        let waiting = async {
            while self.done.load(Ordering::Relaxed) < enough && !self.tasks.iter().any(JoinHandle::is_finished) {
                tokio::task::yield_now().await;
            }
        };
        soon(waiting).await;
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            soon(task).await.expect("no panic").expect("not one call failed");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotating_leaves_and_then_the_authority_fails_no_call() {
    let (old, new) = (authority(), authority());
    let server = Changing::new(&old, Workload::InventorySvc).await;
    let client = Changing::new(&old, Workload::OrderSvc).await;
    let address = serve(server.identity.acceptor()).await;
    let calls = Calls::start(&client.identity, address);
    calls.some_more().await;

    for _ in 0..3 {
        server.take(&old, &[&old]).await;
        calls.some_more().await;
        client.take(&old, &[&old]).await;
        calls.some_more().await;
    }
    // The overlap: everybody believes both before anybody shows the new one's, and shows it before the old is dropped.
    for (own, believed) in [(&old, &[&old, &new][..]), (&new, &[&old, &new]), (&new, &[&new])] {
        for changing in [&server, &client] {
            changing.take(own, believed).await;
            calls.some_more().await;
        }
    }
    calls.end().await;
    assert_eq!((server.identity.swapped(), server.identity.refused()), (6, 0));

    let left_behind = Changing::new(&old, Workload::OrderSvc).await;
    let refused = soon(check(&channel(&left_behind.identity, Workload::InventorySvc, address))).await;
    refused.expect_err("the old authority is believed no more");
}

#[tokio::test]
async fn a_connection_outlives_the_certificate_it_was_made_with() {
    let (old, new) = (authority(), authority());
    let server = Changing::new(&old, Workload::InventorySvc).await;
    let client = Changing::new(&old, Workload::OrderSvc).await;
    let address = serve(server.identity.acceptor()).await;
    let open = channel(&client.identity, Workload::InventorySvc, address);
    let request = HealthCheckRequest { service: String::new() };
    let mut watch = soon(HealthClient::new(open.clone()).watch(request)).await.expect("a stream").into_inner();
    soon(watch.message()).await.expect("open").expect("a first message");

    // A hard cut, with no overlap: only what is open goes on.
    server.take(&new, &[&new]).await;
    soon(check(&open)).await.expect("the connection is open");
    soon(check(&channel(&client.identity, Workload::InventorySvc, address))).await.expect_err("a new one is not had");
    client.take(&new, &[&new]).await;
    soon(check(&channel(&client.identity, Workload::InventorySvc, address))).await.expect("with the new one it is");
}

#[tokio::test]
async fn bad_files_keep_the_old_identity_and_are_counted_once_each() {
    let ours = authority();
    let server = Changing::new(&ours, Workload::InventorySvc).await;
    let client = Changing::new(&ours, Workload::OrderSvc).await;
    let address = serve(server.identity.acceptor()).await;
    let life_left = server.identity.life_left();

    let id = domain().id_of(Workload::InventorySvc);
    let good = ours.issue(&id, DAY).expect("issued");
    let (now, of) = (SystemTime::now(), |authority: &Authority| authority.issue(&id, DAY).expect("issued"));
    let expired = ours.issue_between(&[id.as_str()], now - 2 * DAY, now - DAY).expect("issued");
    let bad: [(&str, &dyn Fn()); 6] = [
        ("half a certificate", &|| server.folder.write("tls.crt", &good.cert[..good.cert.len() / 2])),
        ("another key", &|| server.folder.write("tls.key", &good.key)),
        ("another authority's", &|| server.folder.put(&of(&authority()))),
        ("an expired one", &|| server.folder.put(&expired)),
        ("another workload's", &|| {
            server.folder.put(&ours.issue(&domain().id_of(Workload::Gateway), DAY).expect("issued"))
        }),
        ("none", &|| std::fs::remove_file(server.folder.path("tls.crt")).expect("removed")),
    ];
    for (count, (what, spoil)) in (1..).zip(bad) {
        spoil();
        assert_eq!(server.identity.look().await, Looked::Refused, "{what}");
        assert_eq!(server.identity.look().await, Looked::Same, "{what}, again");
        assert_eq!((server.identity.swapped(), server.identity.refused()), (0, count), "{what}");
        let fresh = channel(&client.identity, Workload::InventorySvc, address);
        soon(check(&fresh)).await.unwrap_or_else(|status| panic!("{what}: the old one is gone: {status}"));
    }
    assert!(server.identity.life_left() <= life_left);
    server.take(&ours, &[&ours]).await;
    assert_eq!(server.identity.swapped(), 1);
}

#[tokio::test]
async fn links_swapped_as_kubernetes_does_are_seen() {
    let ours = authority();
    let id = domain().id_of(Workload::RecSvc);
    // A mount is files that link to `..data/file`, where `..data` links to the folder of today.
    let mount = tempfile::TempDir::new().expect("a folder");
    let at = |name: &str| mount.path().join(name);
    let publish = |day: &str| {
        let own = ours.issue(&id, DAY).expect("issued");
        std::fs::create_dir(at(day)).expect("made");
        for (name, contents) in [("tls.crt", own.cert.as_str()), ("tls.key", &own.key), ("ca.crt", ours.cert_pem())] {
            std::fs::write(at(day).join(name), contents).expect("written");
        }
        std::os::unix::fs::symlink(day, at("..data_tmp")).expect("linked");
        std::fs::rename(at("..data_tmp"), at("..data")).expect("swapped");
    };
    publish("..monday");
    for name in ["tls.crt", "tls.key", "ca.crt"] {
        std::os::unix::fs::symlink(format!("..data/{name}"), at(name)).expect("linked");
    }
    let files = holdfast_platform::tls::Files::in_folder(mount.path());
    let identity = Identity::load(files, domain(), Workload::RecSvc).await.expect("a good identity");
    assert_eq!(identity.look().await, Looked::Same);
    publish("..tuesday");
    assert_eq!(identity.look().await, Looked::Swapped);
}
