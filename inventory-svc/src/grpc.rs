//! The gRPC door: Protobuf in, domain inside, Protobuf out. Statuses are born in `status`.

mod attributes;
mod brand;
mod catalog;
mod field;
mod inventory;
mod location;
mod page;
mod product;
mod reservation;
mod status;
mod stock;
mod time;
mod variant;

pub(crate) use catalog::Catalog;
pub(crate) use inventory::InventoryServer;
