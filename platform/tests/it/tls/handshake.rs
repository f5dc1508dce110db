//! Who gets a connection, and who does not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use holdfast_contracts::Workload;
use holdfast_platform::tls::Identity;
use holdfast_platform::tls::authority::{Authority, Issued};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::mesh::{DAY, Folder, authority, channel, check, domain, identity, serve, soon};

/// The whole text of an error, causes and all.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += ": ";
        text += &error.to_string();
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn workloads_of_one_authority_reach_each_other() {
    let authority = authority();
    let server = identity(&authority, Workload::InventorySvc).await;
    let address = serve(server.acceptor()).await;
    for workload in Workload::ALL {
        let client = identity(&authority, workload).await;
        soon(check(&channel(&client, Workload::InventorySvc, address))).await.expect("one of ours");
    }
}

#[tokio::test]
async fn a_server_that_is_another_workload_is_refused() {
    let authority = authority();
    let address = serve(identity(&authority, Workload::OrderSvc).await.acceptor()).await;
    let client = identity(&authority, Workload::Gateway).await;
    let refused = soon(check(&channel(&client, Workload::InventorySvc, address))).await.expect_err("it is order-svc");
    let text = told(&refused);
    assert!(text.contains("spiffe://holdfast/order-svc, not spiffe://holdfast/inventory-svc"), "{text}");
}

#[tokio::test]
async fn a_server_of_another_authority_is_refused() {
    let address = serve(identity(&authority(), Workload::InventorySvc).await.acceptor()).await;
    let client = identity(&authority(), Workload::Gateway).await;
    let refused = soon(check(&channel(&client, Workload::InventorySvc, address))).await.expect_err("a stranger");
    assert!(told(&refused).contains("invalid peer certificate"), "{}", told(&refused));
}

/// A client that shows what it likes and believes everybody of an authority: what an attacker would be. What it is told by
/// the server after the handshake: nothing but HTTP/2 where it is let in.
async fn barge_in(
    address: SocketAddr,
    believed: &Authority,
    shown: Option<&Issued>,
    alpn: &[&str],
) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(believed.cert_pem().as_bytes()).expect("PEM")).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let mut config = match shown {
        None => config.with_no_client_auth(),
        Some(issued) => {
            let chain = vec![CertificateDer::from_pem_slice(issued.cert.as_bytes()).expect("PEM")];
            let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).expect("PEM");
            config.with_client_auth_cert(chain, key).expect("a pair")
        }
    };
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let tcp = TcpStream::connect(address).await.expect("it listens");
    let name = ServerName::try_from("localhost").expect("a name");
    let connecting = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp);
    let mut stream = soon(connecting).await.map_err(|error| error.to_string())?;
    // In TLS 1.3 the client's certificate is judged after the client is done. An HTTP/2 server speaks first: SETTINGS.
    let mut frame = [0; 9];
    soon(stream.read_exact(&mut frame)).await.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_client_is_let_in_only_with_a_good_certificate_of_our_trust_domain() {
    let ours = authority();
    let acceptor = identity(&ours, Workload::InventorySvc).await.acceptor();
    let address = serve(acceptor.clone()).await;
    let now = SystemTime::now();
    let good = "spiffe://holdfast/gateway";
    let issue = |uris: &[&str]| ours.issue_between(uris, now - DAY, now + DAY).expect("issued");

    assert_eq!(barge_in(address, &ours, Some(&issue(&[good])), &["h2"]).await, Ok(()));
    assert_eq!(acceptor.refused(), 0);
    let refused = async |what: &str, shown: Option<Issued>| {
        assert!(barge_in(address, &ours, shown.as_ref(), &["h2"]).await.is_err(), "{what} got in");
    };
    refused("no certificate", None).await;
    let theirs = authority().issue_between(&[good], now - DAY, now + DAY).expect("issued");
    refused("another authority's certificate", Some(theirs)).await;
    refused("an expired one", Some(ours.issue_between(&[good], now - 2 * DAY, now - DAY).expect("issued"))).await;
    refused("one of tomorrow", Some(ours.issue_between(&[good], now + DAY, now + 2 * DAY).expect("issued"))).await;
    refused("one of another trust domain", Some(issue(&["spiffe://elsewhere/gateway"]))).await;
    refused("one that names nobody", Some(issue(&[]))).await;
    refused("one with two names", Some(issue(&[good, "spiffe://holdfast/operator"]))).await;
    refused("one with a name that is none", Some(issue(&["spiffe://holdfast/ns/gateway"]))).await;
    refused("one with a web address", Some(issue(&["https://holdfast/gateway"]))).await;
    let authority_itself = Issued { cert: ours.cert_pem().to_owned(), key: ours.key_pem(), not_after: now };
    refused("the authority's own", Some(authority_itself)).await;
    for alpn in [&["http/1.1"][..], &[]] {
        assert!(barge_in(address, &ours, Some(&issue(&[good])), alpn).await.is_err(), "{alpn:?} got in");
    }
    assert_eq!(acceptor.refused(), 12);
}

#[tokio::test]
async fn an_identity_that_others_would_refuse_is_none() {
    let (ours, theirs) = (authority(), authority());
    let now = SystemTime::now();
    let id = domain().id_of(Workload::OrderSvc);
    let good = || ours.issue(&id, DAY).expect("issued");
    let load = async |folder: &Folder| folder.load(Workload::OrderSvc).await.map_err(|error| told(&error));
    let refused = async |folder: Folder, why: &str| match load(&folder).await {
        Ok(_) => panic!("taken, though: {why}"),
        Err(text) => assert!(text.contains(why), "{text}\nlacks: {why}"),
    };
    let taken: Identity = load(&Folder::with(&ours, &good())).await.expect("a good one");
    assert!(taken.life_left() > DAY / 2 && taken.life_left() <= DAY);

    refused(Folder::with(&theirs, &good()), "do not vouch").await;
    let expired = ours.issue_between(&[id.as_str()], now - 2 * DAY, now - DAY).expect("issued");
    refused(Folder::with(&ours, &expired), "expired").await;
    refused(Folder::new(&ours, Workload::Gateway), "is spiffe://holdfast/gateway, but this process is").await;
    let nobody = ours.issue_between(&[], now - DAY, now + DAY).expect("issued");
    refused(Folder::with(&ours, &nobody), "has 0 URIs").await;

    let with = |name: &str, contents: &str| {
        let folder = Folder::with(&ours, &good());
        folder.write(name, contents);
        folder
    };
    refused(with("tls.key", &good().key), "key").await;
    refused(with("tls.key", "no key"), "private key cannot be read").await;
    refused(with("tls.crt", ""), "no certificate").await;
    refused(with("tls.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "certificate").await;
    refused(with("ca.crt", "hello"), "no certificate in the authorities").await;
    refused(with("ca.crt", &" ".repeat((1 << 20) + 1)), "more than").await;
    let gone = Folder::with(&ours, &good());
    std::fs::remove_file(gone.path("tls.key")).expect("removed");
    refused(gone, "tls.key cannot be read").await;
}
