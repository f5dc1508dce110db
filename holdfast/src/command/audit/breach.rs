//! One breach, with what it takes to find the row.

use std::fmt;

use serde::Serialize;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Breach {
    pub(super) sku: Option<String>,
    pub(super) location: Option<String>,
    /// The level's.
    pub(super) version: Option<i64>,
    pub(super) reservation_id: Option<Uuid>,
    pub(super) order_id: Option<Uuid>,
    pub(super) what: String,
}

/// Breaches of one kind.
#[derive(Debug)]
pub(super) struct Breaches {
    pub(super) count: u64,
    /// Some of them.
    pub(super) examples: Vec<Breach>,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut place: Vec<String> = Vec::new();
        place.extend(self.order_id.map(|id| format!("order {id}")));
        place.extend(self.reservation_id.map(|id| format!("reservation {id}")));
        match (&self.sku, &self.location) {
            (Some(sku), Some(location)) => place.push(format!("{sku} at {location}")),
            (Some(only), None) | (None, Some(only)) => place.push(only.clone()),
            (None, None) => {}
        }
        place.extend(self.version.map(|version| format!("version {version}")));
        if !place.is_empty() {
            write!(f, "{}: ", place.join(", "))?;
        }
        f.write_str(&self.what)
    }
}
