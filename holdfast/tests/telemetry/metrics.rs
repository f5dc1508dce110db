//! Laws of all metrics, whoever declares them.

use std::collections::BTreeSet;
use std::path::Path;

use holdfast_platform::telemetry::registry::{Description, descriptions};
use holdfast_platform::telemetry::{docs, metrics::Metrics};

/// Series of one metric beyond these are too many to keep: methods times statuses is the largest there should be.
const SERIES_MAX: usize = 12_000;

fn declared() -> Vec<Description> {
    Metrics::get();
    gateway::declare_metrics();
    inventory_svc::declare_metrics();
    order_svc::declare_metrics();
    rec_svc::declare_metrics();
    descriptions()
}

#[test]
fn the_page_lists_every_metric_as_it_is_declared() {
    declared();
    let page = docs::page();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    if std::env::var_os("HOLDFAST_BLESS").is_some() {
        std::fs::write(&path, &page).expect("the page is written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, page, "HOLDFAST_BLESS=1 cargo test -p holdfast --test telemetry writes docs/metrics.md anew");
}

#[test]
fn every_label_is_a_closed_list_of_plain_words() {
    // What would tell one shopper, order or item from another.
    let identities = ["sku", "customer", "order_id", "reservation", "product", "session", "request_id", "token"];
    for description in declared() {
        for (name, words) in &description.labels {
            assert!(!words.is_empty(), "{}: {name} has no values", description.name);
            assert!(words.len() <= 128, "{}: {name} has {} values", description.name, words.len());
            let distinct: BTreeSet<_> = words.iter().collect();
            assert_eq!(distinct.len(), words.len(), "{}: {name} has a value twice", description.name);
            let plain = |word: &&str| word.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte));
            assert!(words.iter().all(plain), "{}: {name} has a value that is no word: {words:?}", description.name);
            let label = name.to_lowercase();
            assert!(!identities.iter().any(|identity| label.contains(identity)), "{}: {name}", description.name);
        }
        let series: usize = description.labels.iter().map(|(_, words)| words.len()).product();
        assert!(series <= SERIES_MAX, "{} could have {series} series", description.name);
    }
}

#[test]
fn names_are_unique_and_say_their_unit() {
    let names: Vec<String> = declared().iter().map(Description::prometheus_name).collect();
    let distinct: BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "{names:?}");
    for description in declared() {
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte == b'.' || byte == b'_';
        assert!(description.name.bytes().all(is_name), "{}", description.name);
        assert!(!description.help.is_empty() && description.help.ends_with('.'), "{}", description.name);
    }
}
