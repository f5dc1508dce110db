//! Every way in which a shop can tell another story than its shoppers is found.

use super::*;
use crate::command::drop::shop::{Change, Effect, StockEvent};
use crate::command::drop::tally::{HoldGiven, Outcome};

/// One shopper who bought one unit of two, and one who walked away: all agree.
struct Story {
    visit: Visit,
    facts: Facts,
    expired_ns: i128,
    confirmed: i64,
}

fn order() -> RequestId {
    "00000000-0000-7000-8000-000000000001".parse().expect("an id")
}

fn abandoned() -> RequestId {
    "00000000-0000-7000-8000-000000000002".parse().expect("an id")
}

fn sku() -> Sku {
    "S".parse().expect("a SKU")
}

fn story() -> Story {
    let before = Level { on_hand: 2, available: 2, version: 1, ..Level::default() };
    let after = Level { on_hand: 2, available: 1, committed: 1, version: 5, ..Level::default() };
    Story {
        visit: Visit {
            item: 0,
            arrived: Duration::ZERO,
            outcome: Outcome::Sold,
            calls: Vec::new(),
            retries: 0,
            came_back: 0,
            holds: vec![HoldGiven { id: abandoned(), expires_ns: 2_000_000_000, abandoned: true }],
            orders: vec![(order(), Told::Placed)],
            problems: Problems::default(),
        },
        facts: Facts {
            before: vec![before],
            after: vec![after],
            orders: HashMap::from([(order(), Fact::Order { state: "PLACED", placed: true })]),
            holds: HashMap::from([(abandoned(), Fact::Hold { state: HoldState::Expired })]),
        },
        expired_ns: 2_000_000_001,
        confirmed: 1,
    }
}

fn check(bend: impl FnOnce(&mut Story), expect_sold: u64, expect_oversold: u64, expect: &[Problem]) {
    let mut story = story();
    bend(&mut story);
    let item = Item { sku: sku(), size: None, units: 2, shoppers: 2 };
    let mut journal = Journal::new(vec![sku()]);
    let level = |version| Level { version, on_hand: 99, available: 99, ..Level::default() };
    let change = |effect, reservation: String, units| {
        StockEvent::Change(Change {
            sku: "S".into(),
            effect,
            units,
            reservation,
            at_ns: story.expired_ns,
            level: level(2),
        })
    };
    journal.take(Duration::ZERO, change(Effect::Expired, abandoned().to_string(), 1));
    journal.take(Duration::ZERO, change(Effect::Confirmed, "x".into(), story.confirmed));
    let findings = reconcile(&[item], &[story.visit], &story.facts, &journal);
    assert_eq!(findings.problems.all(), expect);
    assert_eq!((findings.sold, findings.oversold_units), (vec![expect_sold], expect_oversold));
}

#[test]
fn a_true_story_raises_nothing() {
    check(|_| {}, 1, 0, &[]);
}

#[test]
fn a_sale_the_stock_does_not_know_is_found() {
    let expect = [Problem::SalesDisagree { sku: sku(), acknowledged: 1, committed: 0 }];
    check(|story| story.facts.after[0].committed = 0, 1, 0, &expect);
}

#[test]
fn a_sale_the_watch_did_not_tell_is_found() {
    let expect = [Problem::WatchDisagrees { sku: sku(), acknowledged: 1, confirmed: 2 }];
    check(|story| story.confirmed = 2, 1, 0, &expect);
}

#[test]
fn an_acknowledged_order_that_does_not_stand_is_found() {
    let lost = |state| [Problem::SaleLost { id: order(), state }];
    let cancel = |story: &mut Story| {
        story.facts.orders.insert(order(), Fact::Order { state: "CANCELLED", placed: false });
    };
    check(cancel, 1, 0, &lost("CANCELLED"));
    let forget = |story: &mut Story| {
        story.facts.orders.insert(order(), Fact::Missing);
    };
    check(forget, 1, 0, &lost("missing"));
}

#[test]
fn a_refused_order_that_stands_is_found() {
    let expect = [Problem::RefusedYetPlaced { id: order(), state: "PLACED" }];
    check(|story| story.visit.orders[0].1 = Told::Refused, 1, 0, &expect);
}

#[test]
fn an_order_whose_answer_was_lost_counts_as_the_shop_says() {
    check(|story| story.visit.orders[0].1 = Told::Nothing, 1, 0, &[]);
}

#[test]
fn a_hold_that_outlives_its_time_is_found() {
    let outlive = |story: &mut Story| {
        story.facts.holds.insert(abandoned(), Fact::Hold { state: HoldState::Held });
        story.facts.after[0].held = 1;
    };
    let expect = [Problem::NotExpired { id: abandoned(), state: "HELD" }, Problem::StillHeld { sku: sku(), held: 1 }];
    check(outlive, 1, 0, &expect);
}

#[test]
fn a_hold_that_ends_before_its_time_is_found() {
    let expect = [Problem::ExpiredEarly { id: abandoned().to_string(), early_ms: 500 }];
    check(|story| story.expired_ns = 1_500_000_000, 1, 0, &expect);
}

#[test]
fn more_sales_than_units_are_oversold_whatever_the_level_says() {
    let sell_three = |story: &mut Story| {
        for n in 3..5 {
            let id: RequestId = format!("00000000-0000-7000-8000-00000000000{n}").parse().expect("an id");
            story.visit.orders.push((id, Told::Placed));
            story.facts.orders.insert(id, Fact::Order { state: "PLACED", placed: true });
        }
        story.facts.after[0] = Level { on_hand: 3, committed: 3, version: 5, ..Level::default() };
        story.confirmed = 3;
    };
    check(sell_three, 3, 1, &[Problem::SoldTooMany { sku: sku(), sold: 3, for_sale: 2 }]);
}

#[test]
fn more_promised_than_there_is_is_oversold() {
    let promise = |story: &mut Story| story.facts.after[0].on_hand = 0;
    check(promise, 1, 1, &[Problem::Oversold { sku: sku(), version: 5, units: 1 }]);
}

#[test]
fn what_cannot_be_asked_is_not_taken_for_true() {
    let silence = |story: &mut Story| {
        story.facts.orders.insert(order(), Fact::Unknown("no answer".into()));
    };
    let expect = [Problem::Unverified { what: format!("order {}", order()), error: "no answer".into() }];
    check(silence, 1, 0, &expect);
}
