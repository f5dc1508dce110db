//! The calls a drop makes: which method a request belongs to and what answers it.

use holdfast_contracts::inventory::v1::{
    AdjustStockRequest, BatchGetStockRequest, BatchGetStockResponse, BatchGetVariantsRequest, BatchGetVariantsResponse,
    Brand, GetProductRequest, GetReservationRequest, GetStockRequest, ListLocationsRequest, ListLocationsResponse,
    Location, Product, Reservation, ReserveRequest, Stock, StockLevel, UpsertBrandRequest, UpsertLocationRequest,
    UpsertProductRequest, UpsertProductResponse, WatchStockRequest, WatchStockResponse,
};
use holdfast_contracts::order::v1::{GetOrderRequest, Order, PlaceOrderRequest};
use prost::Message;

/// A request that knows its method.
pub(crate) trait Rpc: Message + Default + 'static {
    /// `/package.Service/Method`.
    const PATH: &'static str;
    /// What answers it; each item of a stream, where it is answered by one.
    type Answer: Message + Default + 'static;
}

macro_rules! rpcs {
    ($($path:literal: $request:ty => $answer:ty),* $(,)?) => {
        $(impl Rpc for $request {
            const PATH: &'static str = $path;
            type Answer = $answer;
        })*
        #[cfg(test)]
        pub(crate) const PATHS: &[&str] = &[$($path),*];
    };
}

rpcs! {
    "/holdfast.inventory.v1.InventoryService/GetStock": GetStockRequest => Stock,
    "/holdfast.inventory.v1.InventoryService/BatchGetStock": BatchGetStockRequest => BatchGetStockResponse,
    "/holdfast.inventory.v1.InventoryService/WatchStock": WatchStockRequest => WatchStockResponse,
    "/holdfast.inventory.v1.InventoryService/AdjustStock": AdjustStockRequest => StockLevel,
    "/holdfast.inventory.v1.InventoryService/Reserve": ReserveRequest => Reservation,
    "/holdfast.inventory.v1.InventoryService/GetReservation": GetReservationRequest => Reservation,
    "/holdfast.inventory.v1.CatalogService/GetProduct": GetProductRequest => Product,
    "/holdfast.inventory.v1.CatalogService/UpsertProduct": UpsertProductRequest => UpsertProductResponse,
    "/holdfast.inventory.v1.CatalogService/BatchGetVariants": BatchGetVariantsRequest => BatchGetVariantsResponse,
    "/holdfast.inventory.v1.CatalogService/UpsertBrand": UpsertBrandRequest => Brand,
    "/holdfast.inventory.v1.CatalogService/ListLocations": ListLocationsRequest => ListLocationsResponse,
    "/holdfast.inventory.v1.CatalogService/UpsertLocation": UpsertLocationRequest => Location,
    "/holdfast.order.v1.OrderService/PlaceOrder": PlaceOrderRequest => Order,
    "/holdfast.order.v1.OrderService/GetOrder": GetOrderRequest => Order,
}

#[cfg(test)]
mod tests {
    use holdfast_contracts::MethodTable;

    use super::*;

    #[test]
    fn every_call_is_a_method_of_the_contracts() {
        let table = MethodTable::load().expect("this build's contracts");
        for path in PATHS {
            assert!(table.get(path).is_some(), "{path}");
        }
    }
}
