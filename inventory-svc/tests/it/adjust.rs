//! Adjustments and the ledger.

use holdfast_contracts::inventory::v1 as pb;
use holdfast_contracts::inventory::v1::adjust_stock_request::{Change, Quantity, Reason};

use crate::contention::assert_invariants;
use crate::shop::{Shop, adjust, line, reason, replica, reserve};

fn set(sku: &str, units: i64, expected: Option<i64>) -> pb::AdjustStockRequest {
    pb::AdjustStockRequest {
        change: Some(Change::Set(units)),
        reason: Reason::Counted.into(),
        expected_version: expected,
        ..adjust(sku, "main", 1)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absolute_change_must_say_what_it_was_based_on() {
    let mut shop = Shop::with_stock(&[("A", 5)]).await;
    let refused = shop.client.adjust_stock(set("A", 9, None)).await.expect_err("no version");
    assert_eq!(reason(&refused), "EXPECTED_VERSION_REQUIRED");
    let refused = shop.client.adjust_stock(set("A", 9, Some(7))).await.expect_err("another version");
    assert_eq!(reason(&refused), "STOCK_VERSION_MISMATCH");
    assert_eq!(holdfast_platform::status::metadata_of(&refused, "version").as_deref(), Some("1"));
    let level = shop.client.adjust_stock(set("A", 9, Some(1))).await.expect("the right one").into_inner();
    assert_eq!((level.version, level.etag.as_str()), (2, "\"2\""));
    assert_eq!(shop.available("A").await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn units_promised_to_shoppers_cannot_be_taken_away() {
    let mut shop = Shop::with_stock(&[("A", 5)]).await;
    shop.client.reserve(reserve(vec![line("A", 3)])).await.expect("held");
    let refused = shop.client.adjust_stock(adjust("A", "main", -3)).await.expect_err("3 are held");
    assert_eq!(reason(&refused), "STOCK_BELOW_PROMISED");
    let damaged = pb::AdjustStockRequest { quantity: Quantity::Unavailable.into(), ..adjust("A", "main", 3) };
    assert_eq!(reason(&shop.client.adjust_stock(damaged).await.expect_err("likewise")), "STOCK_BELOW_PROMISED");
    shop.client.adjust_stock(adjust("A", "main", -2)).await.expect("2 are free");
    let safety = pb::AdjustStockRequest { quantity: Quantity::Safety.into(), ..adjust("A", "main", 1) };
    shop.client.adjust_stock(safety).await.expect("safety stock may exceed what is left");
    assert_eq!(shop.available("A").await, -1);
    assert_invariants(&shop.db().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_adjustment_has_one_effect_and_the_same_answer() {
    let mut shop = Shop::with_stock(&[("A", 5)]).await;
    let (second, mut other) = replica(&shop.database_url).await;
    let request = adjust("A", "main", 4);
    let first = shop.client.adjust_stock(request.clone()).await.expect("received").into_inner();
    shop.client.reserve(reserve(vec![line("A", 1)])).await.expect("the level moves on");
    assert_eq!(other.adjust_stock(request.clone()).await.expect("a repetition").into_inner(), first);
    assert_eq!(shop.available("A").await, 8);
    let reused = pb::AdjustStockRequest { change: Some(Change::Delta(5)), ..request };
    assert_eq!(reason(&other.adjust_stock(reused).await.expect_err("another payload")), "REQUEST_ID_REUSED");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_is_answered_even_where_a_new_request_would_be_refused() {
    let mut shop = Shop::with_stock(&[("A", 5)]).await;
    let (second, mut other) = replica(&shop.database_url).await;
    let count = set("A", 4, Some(1));
    let counted = shop.client.adjust_stock(count.clone()).await.expect("the right version").into_inner();
    let last = reserve(vec![line("A", 4)]);
    let held = shop.client.reserve(last.clone()).await.expect("all that is left").into_inner();
    for client in [&mut shop.client, &mut other] {
        assert_eq!(client.adjust_stock(count.clone()).await.expect("counted before").into_inner(), counted);
        assert_eq!(client.reserve(last.clone()).await.expect("held before").into_inner(), held);
        let gone = client.reserve(reserve(vec![line("A", 1)])).await.expect_err("nothing is left");
        assert_eq!(reason(&gone), "INSUFFICIENT_STOCK");
    }
    assert_invariants(&shop.db().await).await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_pages_through_every_movement() {
    let mut shop = Shop::with_stock(&[("A", 50), ("A@east", 7)]).await;
    for _ in 0..7 {
        shop.client.reserve(reserve(vec![line("A", 1)])).await.expect("held");
    }
    let mut request = pb::ListMovementsRequest { sku: "A".into(), page_size: 4, ..Default::default() };
    let (mut versions, mut pages) = (Vec::new(), 0);
    loop {
        let page = shop.client.list_movements(request.clone()).await.expect("a page").into_inner();
        versions.extend(page.movements.iter().map(|movement| (movement.location_id.clone(), movement.version)));
        pages += 1;
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let expected: Vec<(String, i64)> =
        (1..=8).map(|version| ("main".to_owned(), version)).chain([("east".to_owned(), 1)]).collect();
    assert_eq!((versions, pages), (expected, 3));
    let forged = pb::ListMovementsRequest { page_token: "x".into(), ..request };
    assert_eq!(reason(&shop.client.list_movements(forged).await.expect_err("forged")), "INVALID_ARGUMENT");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_is_made_where_stock_first_arrives() {
    let mut shop = Shop::with_stock(&[("A", 0)]).await;
    let refused = shop.client.reserve(reserve(vec![line("A", 1)])).await.expect_err("nothing anywhere");
    assert_eq!(reason(&refused), "INSUFFICIENT_STOCK");
    let (second, mut other) = replica(&shop.database_url).await;
    other.adjust_stock(adjust("A", "west", 2)).await.expect("received through the other replica");
    second.stop().await;
    let waited = tokio::time::timeout(std::time::Duration::from_secs(5), async {
        // Until the refusing replica looks again, a second at the most.
        while shop.client.reserve(reserve(vec![line("A", 1)])).await.is_err() {
            tokio::task::yield_now().await;
        }
    });
    waited.await.expect("the new level is found");
    let unknown = shop.client.adjust_stock(adjust("A", "nowhere", 1)).await.expect_err("no such place");
    assert_eq!(reason(&unknown), "LOCATION_NOT_FOUND");
    let unknown = shop.client.adjust_stock(adjust("Z", "main", 1)).await.expect_err("no such SKU");
    assert_eq!(reason(&unknown), "SKU_NOT_FOUND");
}
