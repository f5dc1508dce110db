//! Every statement fits the schema, and the schema refuses what the saga never does.

use std::path::Path;

use super::shop::{Shop, ask};

#[tokio::test]
async fn every_statement_prepares_against_the_migrated_schema() {
    let shop = Shop::new().await;
    let db = shop.db().await;
    let mut count = 0;
    for folder in ["src/store/sql", "src/payment/sql"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(folder).expect("a folder of statements") {
            let path = entry.expect("a statement").path();
            let sql = std::fs::read_to_string(&path).expect("text");
            if let Err(error) = db.client().prepare(&sql).await {
                panic!("{}: {error:?}", path.display());
            }
            count += 1;
        }
    }
    assert!(count >= 12);
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let shop = Shop::new().await;
    assert_eq!(order_svc::migrate(&shop.config.database_url).await.expect("it migrates"), 0);
}

#[tokio::test]
async fn the_table_refuses_money_without_goods() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    open.client.place_order(ask("tok_ok")).await.expect("it is sold");
    let db = shop.db().await;
    for breach in [
        "state = 'CANCELLED', cancel_reason = 'CUSTOMER'",
        "payment_state = 'AUTHORIZED'",
        "step = 'CANCELLED'",
        "due_at = now()",
        "step = 'CAPTURE'",
        "total_minor = -1",
        "lines = '[]'",
    ] {
        let sql = format!("UPDATE orders.sales_order SET {breach}");
        let error = db.client().batch_execute(&sql).await.expect_err(breach);
        assert_eq!(error.code(), Some(&tokio_postgres::error::SqlState::CHECK_VIOLATION), "{breach}");
    }
}
