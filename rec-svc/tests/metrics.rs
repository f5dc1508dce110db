//! Which answers are not the model's first choice: in a process of its own, where nobody else is answered.

#[path = "it/shop.rs"]
#[expect(dead_code, reason = "the other tests' own; not all of it is needed here")]
mod shop;
#[path = "it/world.rs"]
#[expect(dead_code, reason = "the other tests' own; not all of it is needed here")]
mod world;

use holdfast_platform::telemetry;

use crate::world::{World, products, view};

/// Fallbacks so far: for an unknown shopper, for what is sold out.
fn fallbacks() -> [u64; 2] {
    let page = telemetry::render();
    ["unknown_shopper", "sold_out"].map(|reason| {
        let series = format!("holdfast_rec_fallbacks_total{{reason=\"{reason}\"}} ");
        let told = page.lines().find_map(|line| line.strip_prefix(&*series));
        told.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{series}is not told"))
    })
}

#[tokio::test]
async fn an_answer_that_is_not_the_first_choice_is_counted_by_why() {
    let world = World::new().await;
    for product in ["shoes", "laces"] {
        world.shop.sell(product, 1);
    }
    world.replica.learn(vec![view("x", "shoes", 9), view("x", "laces", 8), view("y", "shoes", 7)]).await;
    world.replica.recommend("y", 1).await.expect("what goes with shoes");
    assert_eq!(fallbacks(), [0, 0]);
    let trending = world.replica.recommend("stranger", 1).await.expect("what trends");
    assert_eq!((trending.len(), fallbacks()), (1, [1, 0]));

    // More is sold out than is asked about at once.
    for n in 0..60 {
        world.shop.sell(&format!("p{n}"), i64::from(n == 0));
    }
    world.replica.learn((0..60).map(|n| view("z", &format!("p{n}"), 60 - n)).collect()).await;
    world.shop.stock("shoes-1", 0);
    world.shop.stock("laces-1", 0);
    let left = world.replica.recommend("z", 1).await.expect("the one that is left");
    assert_eq!((products(&left), fallbacks()[1]), (vec!["p0"], 1));
}
