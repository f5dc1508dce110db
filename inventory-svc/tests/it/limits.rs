//! Requests that are not valid are refused with the field at fault, and change nothing.

use holdfast_contracts::inventory::v1 as pb;

use crate::shop::{Shop, adjust, line, reason, reserve};

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_reservation_names_its_field() {
    let mut shop = Shop::with_stock(&[("A", 5)]).await;
    let ttl = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
    let good = || reserve(vec![line("A", 1)]);
    let cases = [
        ("request_id", pb::ReserveRequest { request_id: "x".into(), ..good() }),
        ("customer_id", pb::ReserveRequest { customer_id: String::new(), ..good() }),
        ("lines", reserve(vec![])),
        ("lines", reserve(vec![line("A", 1); 10_000])),
        ("lines[0].quantity", reserve(vec![line("A", 0)])),
        ("lines[0].quantity", reserve(vec![line("A", -1)])),
        ("lines[0].quantity", reserve(vec![line("A", i32::MAX)])),
        ("lines[1].sku", reserve(vec![line("A", 1), line("A", 1)])),
        ("lines[0].sku", reserve(vec![line("", 1)])),
        (
            "lines[0].location_id",
            reserve(vec![pb::reserve_request::Line { location_id: "X Y".into(), ..line("A", 1) }]),
        ),
        ("ttl", pb::ReserveRequest { ttl: ttl(0), ..good() }),
        ("ttl", pb::ReserveRequest { ttl: ttl(365 * 24 * 3600), ..good() }),
        ("ttl", pb::ReserveRequest { ttl: ttl(i64::MAX), ..good() }),
    ];
    for (field, request) in cases {
        let status = shop.client.reserve(request).await.expect_err(field);
        assert_eq!(reason(&status), "INVALID_ARGUMENT", "{status:?}");
        use tonic_types::StatusExt as _;
        let violations = status.get_details_bad_request().expect("the field is named").field_violations;
        assert_eq!(violations[0].field, field, "{status:?}");
    }
    let unknown = shop.client.reserve(reserve(vec![line("Ä/ B", 1)])).await.expect_err("no such SKU");
    assert_eq!(reason(&unknown), "SKU_NOT_FOUND");
    assert_eq!(shop.available("A").await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adjustment_out_of_bounds_is_refused() {
    let mut shop = Shop::with_stock(&[("A", 5)]).await;
    let change = |change| pb::AdjustStockRequest { change, ..adjust("A", "main", 1) };
    use pb::adjust_stock_request::Change;
    for bad in [
        change(None),
        change(Some(Change::Delta(0))),
        change(Some(Change::Delta(i64::MIN))),
        change(Some(Change::Delta(i64::MAX))),
        change(Some(Change::Delta(-6))),
        change(Some(Change::Delta(1_000_000_000))),
        pb::AdjustStockRequest { expected_version: Some(1), ..change(Some(Change::Set(-1))) },
        pb::AdjustStockRequest { expected_version: Some(-1), ..change(Some(Change::Set(1))) },
        pb::AdjustStockRequest { reason: 0, ..adjust("A", "main", 1) },
    ] {
        let status = shop.client.adjust_stock(bad).await.expect_err("out of bounds");
        assert_eq!(reason(&status), "INVALID_ARGUMENT", "{status:?}");
    }
    assert_eq!(shop.available("A").await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn skus_that_do_not_exist_are_told() {
    let mut shop = Shop::with_stock(&[("A", 5)]).await;
    let request = pb::GetStockRequest { sku: "Z".into(), ..Default::default() };
    assert_eq!(reason(&shop.client.get_stock(request).await.expect_err("no such SKU")), "SKU_NOT_FOUND");
    let request = pb::BatchGetStockRequest { skus: vec!["Z".into(), "A".into()], ..Default::default() };
    let found = shop.client.batch_get_stock(request).await.expect("one of two").into_inner();
    assert_eq!((found.stocks.len(), found.not_found), (1, vec!["Z".to_owned()]));
    let request = pb::GetReservationRequest { id: crate::shop::new_id() };
    assert_eq!(reason(&shop.client.get_reservation(request).await.expect_err("none")), "RESERVATION_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expected_version_guards_a_line() {
    let mut shop = Shop::with_stock(&[("A", 5), ("A@east", 5)]).await;
    let guarded = |location: &str, version| {
        reserve(vec![pb::reserve_request::Line {
            location_id: location.into(),
            expected_version: Some(version),
            ..line("A", 1)
        }])
    };
    let refused = shop.client.reserve(guarded("main", 9)).await.expect_err("another version");
    assert_eq!(reason(&refused), "STOCK_VERSION_MISMATCH");
    let refused = shop.client.reserve(guarded("", 1)).await.expect_err("which level's?");
    assert_eq!(reason(&refused), "INVALID_ARGUMENT");
    shop.client.reserve(guarded("east", 1)).await.expect("the right one");
}
