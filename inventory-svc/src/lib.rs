//! Catalogue, stock, reservations: the service that never sells a unit twice.

pub mod domain;
pub mod store;

use holdfast_platform::pg::migrate::Migration;

/// The service's schema, step by step.
pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "0001_catalog", sql: include_str!("../migrations/0001_catalog.sql") }];
