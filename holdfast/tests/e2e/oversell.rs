//! Many shoppers at every door of two replicas on one database.

use holdfast::system::Transport;
use serde_json::json;
use tokio::task::JoinSet;

use crate::ask::{buy, new_id, reason, reserve};
use crate::audit::assert_sound;
use crate::shop::Shop;

const UNITS: i64 = 120;
const SHOPPERS: usize = 500;

#[derive(Debug, PartialEq)]
enum Ending {
    Held,
    Sold,
    SoldOut,
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_shoppers_at_two_replicas_never_oversell() {
    let first = Shop::open(Transport::InProcess, &[("HOT", UNITS)]).await;
    let second = Shop::on(first.database_url.clone(), Transport::Tcp).await;
    let mut shoppers = JoinSet::new();
    for number in 0..SHOPPERS {
        let doors = if number % 2 == 0 { first.doors.clone() } else { second.doors.clone() };
        shoppers.spawn(async move {
            // Holds are quicker than orders: a hundred of them leave units to be bought.
            match number / 2 % 10 {
                0 => match doors.inventory().reserve(reserve(&[("HOT", 1)])).await {
                    Ok(_) => Ending::Held,
                    Err(status) => sold_out(reason(&status)),
                },
                1 => {
                    let hold = json!({"requestId": new_id(), "customerId": "c",
                                      "lines": [{"sku": "HOT", "quantity": 1}]});
                    let answer = doors.rest.post("/v1/reservations", &hold).await;
                    if answer.status == 200 {
                        return Ending::Held;
                    }
                    sold_out(answer.problem(409, "INSUFFICIENT_STOCK")["reason"].as_str().expect("a reason"))
                }
                2.. => match doors.orders().place_order(buy("HOT", 1, "tok_ok")).await {
                    Ok(_) => Ending::Sold,
                    Err(status) => sold_out(reason(&status)),
                },
            }
        });
    }
    let endings = shoppers.join_all().await;
    let count = |wanted: Ending| endings.iter().filter(|ending| **ending == wanted).count() as i64;
    let (held, sold) = (count(Ending::Held), count(Ending::Sold));
    assert_eq!(held + sold, UNITS, "every unit is promised once");
    assert!(sold >= UNITS - 100, "orders get what holds leave: {held} held, {sold} sold");
    for shop in [&first, &second] {
        assert_eq!(shop.doors.units("HOT").await, (held, sold, 0));
    }
    assert_sound(&first.database_url).await;
}

fn sold_out(reason: &str) -> Ending {
    assert_eq!(reason, "INSUFFICIENT_STOCK");
    Ending::SoldOut
}
