//! Recommend and SimilarItems: only what can be bought.

use std::collections::BTreeSet;
use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::events::v1::behaviour_event::Kind;
use holdfast_contracts::inventory::v1::product::Status as ProductStatus;
use holdfast_contracts::rec::v1::RecommendRequest;
use holdfast_contracts::rec::v1::recommended_item::Source;
use holdfast_platform::status::reason_of;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::shop::Mood;
use crate::world::{World, event, products, view};

#[tokio::test]
async fn what_goes_together_is_recommended_before_what_trends() {
    let world = World::new().await;
    for product in ["shoes", "laces", "hat"] {
        world.shop.sell(product, 1);
    }
    let mut events = vec![view("x", "shoes", 9), view("x", "laces", 8), event("y", Kind::Purchase, "shoes", 7)];
    events.extend((0..5).map(|n| view(&format!("fan{n}"), "hat", 1)));
    world.replica.learn(events).await;

    let items = world.replica.recommend("y", 0).await.expect("an answer");
    assert_eq!(products(&items), ["laces", "hat"]);
    assert_eq!(items[0].source(), Source::CoVisited);
    assert_eq!(items[1].source(), Source::Trending);
    assert_eq!(items[0].skus, ["laces-1"]);
    let stranger = world.replica.recommend("stranger", 1).await.expect("an answer");
    assert_eq!(products(&stranger), ["shoes"], "what trends, for one nobody knows");
    let similar = world.replica.similar("shoes", 10).await.expect("an answer");
    assert_eq!(products(&similar), ["laces", "hat"]);
}

#[tokio::test]
async fn only_what_is_for_sale_and_in_stock_is_shown() {
    let world = World::new().await;
    let shop = &world.shop;
    shop.sell("sold-out", 0);
    shop.list("draft", ProductStatus::Draft, &[("draft-1", false)]);
    shop.list("archived", ProductStatus::Archived, &[("archived-1", false)]);
    shop.list("retired", ProductStatus::Active, &[("retired-1", true)]);
    shop.list("never-stocked", ProductStatus::Active, &[("never-stocked-1", false)]);
    shop.list(
        "sizes",
        ProductStatus::Active,
        &[("sizes-s", false), ("sizes-m", true), ("sizes-l", false), ("sizes-xl", false)],
    );
    for sku in ["draft-1", "archived-1", "retired-1", "sizes-m", "sizes-l"] {
        shop.stock(sku, 5);
    }
    shop.stock("sizes-s", 0);
    // One location is below its safety stock, the other has units: they can be reserved.
    shop.state().stock.insert("sizes-xl".into(), [("main", -9), ("shop", 2)].into());

    let seen = ["sold-out", "draft", "archived", "retired", "never-stocked", "sizes", "unheard-of"];
    world.replica.learn(seen.iter().map(|product| view("x", product, 1)).collect()).await;
    for items in [
        world.replica.recommend("x", 10).await.expect("an answer"),
        world.replica.similar("sold-out", 10).await.expect("an answer"),
        world.replica.similar("archived", 10).await.expect("an answer"),
    ] {
        assert_eq!(products(&items), ["sizes"]);
        assert_eq!(items[0].skus, ["sizes-l", "sizes-xl"]);
    }
}

#[tokio::test]
async fn a_stock_out_shows_in_the_next_answer() {
    let world = World::new().await;
    world.shop.sell("hat", 1);
    world.replica.learn(vec![view("x", "hat", 1)]).await;
    assert_eq!(products(&world.replica.recommend("y", 10).await.expect("an answer")), ["hat"]);
    world.shop.stock("hat-1", 0);
    assert!(world.replica.recommend("y", 10).await.expect("an answer").is_empty());
    world.shop.stock("hat-1", 1);
    assert_eq!(products(&world.replica.recommend("y", 10).await.expect("an answer")), ["hat"]);
}

#[tokio::test]
async fn a_page_is_filled_from_far_down_the_list() {
    let world = World::new().await;
    for n in 0..400 {
        world.shop.sell(&format!("p{n:03}"), i64::from(n >= 390));
    }
    // The hottest are sold out: p000 trends most.
    let events = (0..400).map(|n| view(&format!("s{n}"), &format!("p{n:03}"), n));
    world.replica.learn(events.collect()).await;
    let items = world.replica.recommend("x", 7).await.expect("an answer");
    assert_eq!(products(&items), ["p390", "p391", "p392", "p393", "p394", "p395", "p396"]);
    assert_eq!(world.replica.recommend("x", 100).await.expect("an answer").len(), 10);
}

#[tokio::test]
async fn nothing_to_sell_is_an_empty_list_and_an_unknown_product_an_error() {
    let world = World::new().await;
    assert!(world.replica.recommend("x", 10).await.expect("an empty log").is_empty());
    let refused = world.replica.similar("ghost", 10).await.expect_err("the catalogue is empty");
    assert_eq!(reason_of(&refused), Some(Reason::ProductNotFound));
    world.replica.learn(vec![view("x", "ghost", 2), view("x", "spirit", 1)]).await;
    assert!(world.replica.recommend("x", 10).await.expect("events of nothing the shop has").is_empty());
    let refused = world.replica.similar("ghost", 10).await.expect_err("seen, but not in the catalogue");
    assert_eq!(reason_of(&refused), Some(Reason::ProductNotFound));
}

#[tokio::test]
async fn page_sizes_default_cap_and_refuse() {
    let world = World::new().await;
    for n in 0..120 {
        world.shop.sell(&format!("p{n}"), 1);
    }
    world.replica.learn((0..120).map(|n| view(&format!("s{n}"), &format!("p{n}"), 1)).collect()).await;
    for (asked, given) in [(0, 10), (1, 1), (100, 100), (101, 100), (i32::MAX, 100)] {
        assert_eq!(world.replica.recommend("x", asked).await.expect("an answer").len(), given);
    }
    let refused = world.replica.recommend("x", -1).await.expect_err("negative");
    assert_eq!(reason_of(&refused), Some(Reason::InvalidArgument));
    let refused = world.replica.recommend("", 1).await.expect_err("nobody");
    assert_eq!(reason_of(&refused), Some(Reason::InvalidArgument));
    let refused = world.replica.similar("a/b", 1).await.expect_err("no product id");
    assert_eq!(reason_of(&refused), Some(Reason::InvalidArgument));
}

#[tokio::test]
async fn without_the_inventory_there_is_no_answer_rather_than_an_unavailable_item() {
    let world = World::new().await;
    world.shop.sell("hat", 1);
    world.shop.sell("scarf", 1);
    world.replica.learn(vec![view("x", "hat", 1)]).await;
    assert_eq!(world.replica.recommend("x", 1).await.expect("an answer").len(), 1);
    world.shop.state().mood = Mood::InventoryDown;
    let refused = world.replica.recommend("x", 1).await.expect_err("no inventory");
    assert_eq!(reason_of(&refused), Some(Reason::Unavailable));
    assert!(!refused.message().contains("connection refused"), "causes are logged, never sent");
    let refused = world.replica.similar("scarf", 1).await.expect_err("no inventory");
    assert_eq!(reason_of(&refused), Some(Reason::Unavailable));
    assert_eq!(world.replica.record(vec![view("x", "hat", 0)]).await.expect("recording needs no inventory"), 1);
    world.shop.state().mood = Mood::Well;
    assert_eq!(world.replica.recommend("x", 1).await.expect("it came back").len(), 1);
}

#[tokio::test]
async fn without_the_catalogue_nothing_is_guessed() {
    let world = World::new().await;
    world.shop.sell("hat", 1);
    world.replica.learn(vec![view("x", "hat", 1)]).await;
    world.shop.state().mood = Mood::CatalogDown;
    let refused = world.replica.recommend("x", 1).await.expect_err("no catalogue");
    assert_eq!(reason_of(&refused), Some(Reason::Unavailable));
    let refused = world.replica.similar("hat", 1).await.expect_err("no catalogue");
    assert_eq!(reason_of(&refused), Some(Reason::Unavailable));
}

#[tokio::test]
async fn the_callers_deadline_is_passed_on_and_kept() {
    let world = World::new().await;
    world.shop.sell("hat", 1);
    world.replica.learn(vec![view("x", "hat", 1)]).await;
    world.shop.state().mood = Mood::InventoryHangs;
    let mut request = tonic::Request::new(RecommendRequest { customer_id: "x".into(), page_size: 1 });
    request.set_timeout(Duration::from_millis(200));
    let mut client = world.replica.client.clone();
    let answered = tokio::time::timeout(Duration::from_secs(5), client.recommend(request)).await;
    let refused = answered.expect("nobody waits longer than the caller").expect_err("the inventory hangs");
    assert_eq!(reason_of(&refused), Some(Reason::DeadlineExceeded));
    let timeouts = world.shop.state().timeouts.clone();
    let sent = timeouts.last().and_then(Option::as_deref).and_then(holdfast_platform::deadline::parse_timeout);
    assert!(sent.is_some_and(|timeout| timeout <= Duration::from_millis(200)), "{timeouts:?}");
}

/// What the shop has of each of some products, and what its shoppers did.
fn any_shop() -> impl Strategy<Value = (Vec<[i64; 3]>, Vec<(u8, u8)>, i32)> {
    (prop::collection::vec([-1i64..3, -1..3, -1..3], 25), prop::collection::vec((0..6u8, 0..30u8), 1..40), 1..12)
}

#[test]
fn no_answer_ever_names_what_cannot_be_bought_nor_withholds_what_can() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::new());
    let learnt = std::cell::RefCell::new((0, BTreeSet::new()));
    let mut runner = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
    let result = runner.run(&any_shop(), |(stock, steps, page_size)| {
        runtime.block_on(async {
            for (n, units) in stock.iter().enumerate() {
                let skus = [0, 1, 2].map(|variant| format!("p{n}-{variant}"));
                // The last variant of each is retired; products from 25 on are seen but not in the catalogue.
                let variants = [(&*skus[0], false), (&*skus[1], false), (&*skus[2], true)];
                world.shop.list(&format!("p{n}"), ProductStatus::Active, &variants);
                skus.iter().zip(units).for_each(|(sku, units)| world.shop.stock(sku, *units));
            }
            let events: Vec<_> =
                steps.iter().map(|(who, what)| view(&format!("c{who}"), &format!("p{what}"), 1)).collect();
            let (mut count, mut seen) = learnt.borrow().clone();
            count += events.len();
            seen.extend(steps.iter().map(|(_, what)| format!("p{what}")));
            world.replica.record(events).await.expect("recorded");
            world.replica.wait_for_events(count).await;
            learnt.replace((count, seen.clone()));

            let buyable =
                |product: &String| (0..3).any(|n| world.shop.is_available(product, &format!("{product}-{n}")));
            for customer in ["c0", "c3", "stranger"] {
                let items = world.replica.recommend(customer, page_size).await.expect("an answer");
                for item in &items {
                    prop_assert!(!item.skus.is_empty());
                    prop_assert!(
                        item.skus.iter().all(|sku| world.shop.is_available(&item.product_id, sku)),
                        "{item:?}"
                    );
                }
                prop_assert!(items.windows(2).all(|pair| pair[0].score >= pair[1].score));
                let possible = seen.iter().filter(|product| buyable(product)).count();
                prop_assert_eq!(items.len(), possible.min(page_size as usize));
            }
            Ok(())
        })
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
}
