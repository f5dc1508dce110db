//! Catalogue, stock, reservations: the service that never sells a unit twice.

pub mod domain;
