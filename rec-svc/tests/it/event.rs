//! RecordEvents.

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::events::v1::BehaviourEvent;
use holdfast_contracts::events::v1::behaviour_event::Kind;
use holdfast_platform::status::reason_of;

use crate::world::{World, event, products, view};

#[tokio::test]
async fn duplicates_count_once() {
    let world = World::new().await;
    let replica = &world.replica;
    let events = vec![view("x", "a", 3), event("x", Kind::Purchase, "b", 2)];
    let twice: Vec<_> = events.iter().chain(&events).cloned().collect();
    assert_eq!(replica.record(twice).await.expect("recorded"), 2);
    replica.wait_for_events(2).await;
    let digest = replica.service.state_digest();

    assert_eq!(replica.record(events).await.expect("recorded again"), 0);
    assert_eq!(replica.record(vec![view("y", "a", 1)]).await.expect("recorded"), 1);
    replica.wait_for_events(3).await;
    assert_ne!(replica.service.state_digest(), digest);
    assert_eq!(world.another_replica().await.service.state_digest(), replica.service.state_digest());
}

#[tokio::test]
async fn the_same_ids_in_opposite_orders_never_deadlock() {
    let world = World::new().await;
    // Each round is a new chance for two of the calls to meet in the middle.
    for _ in 0..10 {
        let events: Vec<_> = (0..1_000).map(|n| view("x", &format!("p{n}"), 1)).collect();
        let reversed: Vec<_> = events.iter().rev().cloned().collect();
        let calls =
            (0..6).map(|turn| world.replica.record(if turn % 2 == 0 { events.clone() } else { reversed.clone() }));
        let answers = futures_util::future::join_all(calls).await;
        assert_eq!(answers.into_iter().map(|answer| answer.expect("recorded")).sum::<i32>(), 1_000);
    }
}

#[tokio::test]
async fn a_call_with_one_bad_event_records_none() {
    let world = World::new().await;
    let bad = BehaviourEvent { product_id: String::new(), ..view("x", "a", 1) };
    let refused = world.replica.record(vec![view("x", "a", 1), bad]).await.expect_err("one is bad");
    assert_eq!(reason_of(&refused), Some(Reason::InvalidArgument));
    assert_eq!(refused.message(), "events[1].product_id must not be empty");
    let refused = world.replica.record(vec![]).await.expect_err("nothing to record");
    assert_eq!(reason_of(&refused), Some(Reason::InvalidArgument));
    assert_eq!(world.another_replica().await.service.state_digest(), World::new().await.replica.service.state_digest());
}

#[tokio::test]
async fn late_arrivals_count_by_when_they_happened() {
    let world = World::new().await;
    for product in ["shoes", "laces", "socks"] {
        world.shop.sell(product, 5);
    }
    // Told last, but done between the other two: laces followed shoes.
    world.replica.learn(vec![view("x", "socks", 3), view("x", "shoes", 2), view("x", "laces", 1)]).await;
    let in_order = world.replica.similar("shoes", 10).await.expect("an answer");

    let late = World::new().await;
    for product in ["shoes", "laces", "socks"] {
        late.shop.sell(product, 5);
    }
    late.replica.learn(vec![view("x", "laces", 1), view("x", "socks", 3), view("x", "shoes", 2)]).await;
    let out_of_order = late.replica.similar("shoes", 10).await.expect("an answer");
    assert_eq!(products(&in_order), ["laces", "socks"]);
    assert_eq!(products(&in_order), products(&out_of_order));
}
