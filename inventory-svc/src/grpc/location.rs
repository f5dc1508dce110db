//! Locations.

use holdfast_contracts::inventory::v1 as pb;
use holdfast_platform::pg::{self, Pool};
use holdfast_platform::status::Refusal;

use super::field::{Invalid, parse, required};
use super::page;
use crate::domain::location::{Location, LocationRank};
use crate::store;

pub(super) async fn list(pool: &Pool, request: pb::ListLocationsRequest) -> Result<pb::ListLocationsResponse, Refusal> {
    let page_size = page::parse_page_size(request.page_size)?;
    let after = page::parse_token(&request.page_token, |key| parse_rank(&key))?;
    let connection = pool.get().await.map_err(pg::Error::from)?;
    let mut locations =
        store::location::list_locations(&*connection, after.as_ref(), page::rows_max(page_size)).await?;
    let next_page_token = page::cut(&mut locations, page_size, |location| format_rank(&location.rank()));
    Ok(pb::ListLocationsResponse {
        locations: locations.into_iter().map(pb::Location::from).collect(),
        next_page_token,
    })
}

pub(super) async fn upsert(pool: &Pool, request: pb::UpsertLocationRequest) -> Result<pb::Location, Refusal> {
    let location =
        parse_location(required("location", request.location)?).map_err(|invalid| invalid.within("location"))?;
    let connection = pool.get().await.map_err(pg::Error::from)?;
    store::location::save_location(&*connection, &location).await?;
    Ok(location.into())
}

fn parse_location(location: pb::Location) -> Result<Location, Invalid> {
    Ok(Location {
        id: parse("id", location.id)?,
        display_name: parse("display_name", location.display_name)?,
        priority: location.priority,
    })
}

/// As it stands in a page token: `0 main`.
fn format_rank(rank: &LocationRank) -> String {
    format!("{} {}", rank.priority, rank.id)
}

fn parse_rank(key: &str) -> Option<LocationRank> {
    let (priority, id) = key.split_once(' ')?;
    Some(LocationRank { priority: priority.parse().ok()?, id: id.parse().ok()? })
}

impl From<Location> for pb::Location {
    fn from(location: Location) -> Self {
        Self { id: location.id.into(), display_name: location.display_name.into(), priority: location.priority }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_is_read_back() {
        let rank = LocationRank { priority: -7, id: "main".parse().unwrap() };
        assert_eq!(parse_rank(&format_rank(&rank)), Some(rank));
        for bad in ["", "main", "x main", "1 Main", "1"] {
            assert_eq!(parse_rank(bad), None, "{bad:?}");
        }
    }
}
