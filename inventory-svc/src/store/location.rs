//! Locations.

use holdfast_platform::pg::{Error, Execute};

use super::stored;
use crate::domain::location::{Location, LocationRank};

/// The first `limit` locations in the order they are picked in, after one of them.
pub(crate) async fn list_locations(
    db: &impl Execute,
    after: Option<&LocationRank>,
    limit: i64,
) -> Result<Vec<Location>, Error> {
    let priority = after.map(|rank| rank.priority);
    let id = after.map(|rank| rank.id.as_str());
    let rows = db.query(include_str!("sql/list_locations.sql"), &[&priority, &id, &limit]).await?;
    Ok(rows
        .iter()
        .map(|row| Location {
            id: stored(row.get("id")),
            display_name: stored(row.get("display_name")),
            priority: row.get("priority"),
        })
        .collect())
}

/// Makes the location what is given; writes nothing where it is that already.
pub(crate) async fn save_location(db: &impl Execute, location: &Location) -> Result<(), Error> {
    let Location { id, display_name, priority } = location;
    db.execute(include_str!("sql/save_location.sql"), &[&id.as_str(), &display_name.as_str(), priority]).await?;
    Ok(())
}
