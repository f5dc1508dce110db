//! Every statement of the store, whoever wrote it.

use std::path::Path;

use super::*;

#[tokio::test]
async fn every_statement_prepares_against_the_migrated_schema() {
    let catalog = Catalog::open().await;
    let connection = catalog.db().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/sql");
    let mut failures = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(path.extension().and_then(|extension| extension.to_str()), Some("sql"), "{}", path.display());
        let sql = std::fs::read_to_string(&path).unwrap();
        if let Err(error) = connection.client().prepare(&sql).await {
            failures.push(format!("{}: {}", path.display(), pg::Error::from(error)));
        }
        count += 1;
    }
    assert!(count > 0, "no statements in {}", folder.display());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn migrating_twice_applies_nothing_again() {
    let catalog = Catalog::open().await;
    assert_eq!(inventory_svc::migrate(&catalog.database_url).await.unwrap(), 0);
}
