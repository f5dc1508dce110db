//! Watches: every version in order, over both doors, across a reconnect.

use holdfast::system::Transport;
use holdfast_contracts::inventory::v1 as pb;
use holdfast_contracts::inventory::v1::watch_stock_response::Event;
use tokio::task::JoinSet;

use crate::ask::{buy, reserve};
use crate::event_source::EventSource;
use crate::shop::Shop;
use crate::wait::soon;

over_both_transports! {
    a_browser_sees_every_version_and_goes_on_after_the_last_it_saw,
    the_stubs_see_every_version,
}

const SHOPPERS: i64 = 60;

/// Holds one unit for each of many shoppers, all at once.
fn crowd(shop: &Shop) -> JoinSet<()> {
    (0..SHOPPERS)
        .map(|_| {
            let mut stubs = shop.doors.inventory();
            async move { drop(stubs.reserve(reserve(&[("S", 1)])).await.expect("plenty for everybody")) }
        })
        .collect()
}

async fn a_browser_sees_every_version_and_goes_on_after_the_last_it_saw(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 1000)]).await;
    let path = "/v1/stock:watch?sku=S";
    let mut events = EventSource::open(&shop.doors.rest, path, "").await;
    let reset = events.next().await.expect("the state to begin with");
    assert_eq!(reset.name, "reset");
    assert_eq!(reset.data["reset"]["stocks"][0]["version"], "1");

    let shoppers = crowd(&shop);
    for version in 2..=20 {
        assert_eq!(events.next_version().await, version.to_string());
    }
    let last_seen = events.last_event_id.clone();
    drop(events);
    shoppers.join_all().await;

    let mut events = EventSource::open(&shop.doors.rest, path, &last_seen).await;
    for version in 21..=SHOPPERS + 1 {
        assert_eq!(events.next_version().await, version.to_string());
    }
    // An order is three effects: held, confirmed; and what comes after it is seen too.
    shop.doors.orders().place_order(buy("S", 1, "tok_ok")).await.expect("it is sold");
    for version in SHOPPERS + 2..=SHOPPERS + 3 {
        assert_eq!(events.next_version().await, version.to_string());
    }
}

async fn the_stubs_see_every_version(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 1000)]).await;
    let request = |cursor: &str| pb::WatchStockRequest { sku: vec!["S".into()], cursor: cursor.into() };
    let mut stubs = shop.doors.inventory();
    let mut steps = stubs.watch_stock(request("")).await.expect("a watch").into_inner();
    let shoppers = crowd(&shop);
    let mut seen = 0;
    let mut reconnected = false;
    while seen < SHOPPERS + 1 {
        let step = soon("the next step", steps.message()).await.expect("no error").expect("it goes on");
        match step.event.expect("an event") {
            Event::Reset(reset) => {
                assert_eq!(seen, 0, "a reset is where a watch begins");
                seen = reset.stocks[0].version;
            }
            Event::Change(change) => {
                let version = change.level.expect("a level").version;
                assert_eq!(version, seen + 1);
                seen = version;
            }
        }
        if seen > SHOPPERS / 2 && !reconnected {
            reconnected = true;
            steps = stubs.watch_stock(request(&step.cursor)).await.expect("a watch").into_inner();
        }
    }
    shoppers.join_all().await;
}
