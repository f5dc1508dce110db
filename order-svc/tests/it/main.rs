//! order-svc against a real Postgres and a stock that misbehaves on demand.

mod cancel;
mod crash;
mod events;
mod list;
mod payment;
mod place;
mod process;
mod repeat;
mod shop;
mod sql;
mod stock;
mod take_over;
mod tcp;
mod trap;
