//! What must be true of the database whatever happened, read from its tables alone.

use holdfast_platform::pg;

/// Fails with every breach that there is.
pub(crate) async fn assert_sound(database_url: &str) {
    let db = pg::connect(database_url).await.expect("the database answers");
    let rows = db.client().query(include_str!("sql/breaches.sql"), &[]).await.expect("the tables are read");
    let breaches: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(breaches.is_empty(), "{} breaches: {:#?}", breaches.len(), &breaches[..breaches.len().min(20)]);
}
