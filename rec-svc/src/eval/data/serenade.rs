//! Clicks of sessions: `SessionId`, `ItemId`, `Time` in seconds, tab-separated, as Serenade reads them.

use std::path::Path;

use holdfast_contracts::ProductId;

use super::{DataError, Rows, field};
use crate::domain::{SessionId, Time};

/// One click.
#[derive(Debug, Clone)]
pub(in crate::eval) struct Click {
    pub(in crate::eval) session: SessionId,
    pub(in crate::eval) product: ProductId,
    pub(in crate::eval) time: Time,
}

/// In order of time; those of one moment in the file's order.
pub(in crate::eval) fn read(path: &Path) -> Result<Vec<Click>, DataError> {
    let mut clicks = Vec::new();
    Rows::open(path, b'\t', &["SessionId", "ItemId", "Time"])?.each(|row| {
        let seconds: f64 = field("Time", row[2])?;
        let ms = (0.0..1e12).contains(&seconds).then_some((seconds * 1_000.0) as i64);
        let time = ms.and_then(Time::from_ms).ok_or_else(|| format!("Time {:?} is not one", row[2]))?;
        clicks.push(Click { session: field("SessionId", row[0])?, product: field("ItemId", row[1])?, time });
        Ok(())
    })?;
    clicks.sort_by_key(|click| click.time);
    Ok(clicks)
}
