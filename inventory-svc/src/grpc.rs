//! The gRPC door: Protobuf in, domain inside, Protobuf out. Statuses are born in `status`.

mod inventory;
mod reservation;
mod status;
mod stock;
mod time;

pub(crate) use inventory::InventoryServer;
