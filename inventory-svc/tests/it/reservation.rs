//! The life of a reservation.

use holdfast_contracts::inventory::v1 as pb;
use holdfast_contracts::inventory::v1::reservation::State;

use crate::shop::{Shop, line, reason, reserve, state};

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_takes_units_and_its_release_gives_them_back() {
    let mut shop = Shop::with_stock(&[("A", 5)]).await;
    let held = shop.client.reserve(reserve(vec![line("A", 2)])).await.expect("2 of 5").into_inner();
    assert_eq!(state(&held), State::Held);
    assert_eq!((held.lines[0].location_id.as_str(), held.lines[0].version), ("main", 2));
    assert_eq!(shop.available("A").await, 3);

    let refused = shop.client.reserve(reserve(vec![line("A", 4)])).await.expect_err("only 3 left");
    assert_eq!(reason(&refused), "INSUFFICIENT_STOCK");
    let told = |key| holdfast_platform::status::metadata_of(&refused, key).unwrap_or_default();
    assert_eq!((told("requested"), told("available"), told("version")), ("4".into(), "3".into(), "2".into()));

    let request = pb::ReleaseReservationRequest { id: held.id };
    let released = shop.client.release_reservation(request.clone()).await.expect("held").into_inner();
    assert_eq!(state(&released), State::Released);
    assert_eq!(shop.available("A").await, 5);
    let again = shop.client.release_reservation(request).await.expect("a repetition").into_inner();
    assert_eq!(again, released);
    assert_eq!(shop.available("A").await, 5);
}
