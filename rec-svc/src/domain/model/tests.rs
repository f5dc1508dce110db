use std::cmp::Reverse;

use holdfast_contracts::RequestId;
use proptest::prelude::*;

use super::super::event::{Actor, Shopper};
use super::super::history::{ORDER_LINES_MAX, VISITS_MAX};
use super::super::personal::{BOUGHT_MAX, BOUGHT_SLACK};
use super::super::ranking::{CANDIDATES_MAX, Candidate, Source};
use super::super::row::Row;
use super::super::score::Signal;
use super::super::session::{PRODUCT_SESSIONS_MAX, SESSION_ITEMS_MAX};
use super::super::tuning::{Blend, Surface};
use super::*;

const DAY: i64 = 24 * 60;

fn time(minute: i64) -> Time {
    Time::from_ms(minute * 60_000).expect("after 1970")
}

fn id(text: &str) -> ProductId {
    text.parse().expect("an id")
}

fn customer(name: &str) -> Shopper {
    Shopper::Customer(name.parse().expect("an id"))
}

fn event(shopper: &str, kind: Kind, product: &str, minute: i64) -> Event {
    let actor = Actor::new(Some(shopper.parse().expect("an id")), None).expect("a customer");
    Event { id: RequestId::now_v7(), kind, actor, product: id(product), time: time(minute) }
}

fn model(events: &[Event]) -> Model {
    let mut model = Model::new();
    events.iter().for_each(|event| model.fold(event));
    model
}

fn bounded(shoppers_max: usize, products_max: usize) -> Model {
    let bounds = Bounds { shoppers_max, products_max, sessions_max: shoppers_max + 1, features_max: 16 };
    Model::tuned(Tuning::default(), bounds)
}

/// As the model stands at the end of the days these tests play in.
fn similar(model: &Model, product: &str) -> Vec<Candidate> {
    model.similar(&id(product), time(100 * DAY))
}

fn products(candidates: &[Candidate]) -> Vec<&str> {
    candidates.iter().map(|candidate| candidate.product.as_str()).collect()
}

fn views(path: &[(&str, &str, i64)]) -> Vec<Event> {
    path.iter().map(|(shopper, product, minute)| event(shopper, Kind::View, product, *minute)).collect()
}

#[test]
fn what_came_next_goes_with_a_product_before_what_came_first() {
    let model = model(&views(&[("x", "socks", 0), ("x", "shoes", 1), ("x", "laces", 2)]));
    let similar = similar(&model, "shoes");
    assert_eq!(products(&similar), ["laces", "socks"]);
    assert!(similar.iter().all(|candidate| candidate.source == Source::CoVisited));
}

#[test]
fn a_purchase_ties_closer_than_a_look() {
    let mut events = views(&[("x", "shoes", 0), ("x", "laces", 1), ("y", "shoes", 2)]);
    events.push(event("y", Kind::Purchase, "socks", 3));
    assert_eq!(products(&similar(&model(&events), "shoes")), ["socks", "laces"]);
}

#[test]
fn newer_company_comes_before_older() {
    let path = [("x", "shoes", 0), ("x", "a", 1), ("y", "shoes", 90 * DAY), ("y", "b", 90 * DAY + 1)];
    assert_eq!(products(&similar(&model(&views(&path)), "shoes")), ["b", "a"]);
}

#[test]
fn weeks_apart_is_not_together() {
    let similar = similar(&model(&views(&[("x", "shoes", 0), ("x", "laces", 8 * DAY)])), "shoes");
    assert_eq!(similar.iter().map(|candidate| candidate.source).collect::<Vec<_>>(), [Source::Trending]);
}

#[test]
fn equals_are_told_apart_by_id() {
    let path = [("x", "shoes", 0), ("y", "shoes", 0), ("x", "b", 1), ("y", "a", 1)];
    assert_eq!(products(&similar(&model(&views(&path)), "shoes")), ["a", "b"]);
}

#[test]
fn what_was_just_bought_is_not_offered_again_until_it_may_be_used_up() {
    let mut events = views(&[("x", "soap", 0), ("x", "towel", 1), ("y", "towel", 2)]);
    events.push(event("y", Kind::Purchase, "soap", 3));
    let model = model(&events);
    assert_eq!(products(&model.recommend(&customer("y"), time(3))), ["towel"]);
    assert!(products(&model.recommend(&customer("y"), time(15 * DAY))).contains(&"soap"));
    assert!(products(&model.recommend(&customer("x"), time(3))).contains(&"soap"));
}

#[test]
fn a_stranger_is_shown_what_trends() {
    let model = model(&views(&[("x", "old", 0), ("x", "hot", 9 * DAY), ("y", "hot", 9 * DAY), ("z", "new", 9 * DAY)]));
    let shown = model.recommend(&customer("nobody"), time(9 * DAY));
    assert_eq!(products(&shown), ["hot", "new", "old"]);
    assert!(shown.iter().all(|candidate| candidate.source == Source::Trending));
}

#[test]
fn an_empty_log_recommends_nothing() {
    assert!(Model::new().recommend(&customer("x"), time(0)).is_empty());
    assert!(similar(&Model::new(), "a").is_empty());
}

#[test]
fn reloading_a_page_makes_nothing_trend() {
    let mut events = views(&[("x", "popular", 0), ("y", "popular", 0)]);
    events.extend((0..10_000).map(|n| event("bot", Kind::View, "pushed", n / 100)));
    assert_eq!(products(&model(&events).recommend(&customer("nobody"), time(100))), ["popular", "pushed"]);
}

#[test]
fn a_shopper_with_a_hundred_thousand_events_stays_small() {
    let mut model = bounded(10, 500);
    for n in 0..100_000 {
        model.fold(&event("x", Kind::View, &format!("p{}", n % 5_000), n));
    }
    let visits = model.shoppers.iter().map(|(_, _, history)| history.visits().len()).max();
    assert_eq!(visits, Some(VISITS_MAX));
    check_bounds(&model, 10, 500);
    assert!(!model.recommend(&customer("x"), time(100_000)).is_empty());
}

#[test]
fn an_answer_draws_from_a_bounded_number_of_candidates() {
    let events: Vec<Event> = (0..3_000).map(|n| event(&format!("s{n}"), Kind::View, &format!("p{n}"), n)).collect();
    assert_eq!(model(&events).recommend(&customer("nobody"), time(3_000)).len(), CANDIDATES_MAX);
}

fn check_bounds(model: &Model, shoppers_max: usize, products_max: usize) {
    assert!(model.shoppers.iter().count() <= shoppers_max);
    assert!(model.products.iter().count() <= products_max);
    assert!(model.sessions.iter().count() <= shoppers_max + 1);
    for (_, _, history) in model.shoppers.iter() {
        assert!(history.visits().len() <= VISITS_MAX && history.order.len() <= ORDER_LINES_MAX);
        assert!(history.purchases.iter().count() <= BOUGHT_MAX + BOUGHT_SLACK);
        assert!(history.profile.iter().count() <= Row::len_bound(PROFILE_FEATURES_MAX));
    }
    assert!(model.sessions.iter().all(|(_, _, session)| session.items().len() <= SESSION_ITEMS_MAX));
    for (slot, id, product) in model.products.iter() {
        let channels = [
            (&product.covisit, &model.tuning.covisit),
            (&product.view_buy, &model.tuning.view_buy),
            (&product.same_order, &model.tuning.same_order),
        ];
        for (channel, tuning) in channels {
            assert!(channel.row.iter().count() <= Row::len_bound(tuning.neighbours_max));
            assert!(channel.row.iter().all(|(neighbour, _)| neighbour != slot), "{id} beside itself");
        }
        assert!(product.sessions.len() <= PRODUCT_SESSIONS_MAX);
    }
    let mut hot: Vec<_> = model.products.iter().filter(|(_, _, product)| !product.heat.is_zero()).collect();
    hot.sort_by_key(|(slot, _, product)| (Reverse(product.heat), *slot));
    assert!(hot.iter().map(|(slot, _, _)| *slot).eq(model.trends.shop().map(|(slot, _)| slot)));
}

fn any_events() -> impl Strategy<Value = Vec<Event>> {
    let kind = prop_oneof![Just(Kind::View), Just(Kind::AddToCart), Just(Kind::Purchase)];
    let one = (0..6u8, kind, 0..40u8, 0..30 * DAY).prop_map(|(shopper, kind, product, minute)| {
        event(&format!("s{shopper}"), kind, &format!("p{product}"), minute)
    });
    prop::collection::vec(one, 0..150)
}

proptest! {
    #[test]
    fn the_same_log_makes_the_same_state(events in any_events()) {
        prop_assert_eq!(model(&events).digest(), model(&events).digest());
    }

    #[test]
    fn memory_is_bounded_whatever_happens(events in any_events(), shoppers_max in 1..4usize, products_max in 1..9usize) {
        let mut model = bounded(shoppers_max, products_max);
        for event in &events {
            model.fold(event);
            check_bounds(&model, shoppers_max, products_max);
        }
    }

    #[test]
    fn answers_are_ordered_finite_and_name_each_product_once(events in any_events()) {
        let model = model(&events);
        let answers = [model.recommend(&customer("s0"), time(30 * DAY)), similar(&model, "p0")];
        for answer in answers {
            prop_assert!(answer.iter().all(|candidate| candidate.score.is_finite() && candidate.score >= 0.0));
            prop_assert!(answer.windows(2).all(|pair| pair[0].score >= pair[1].score));
            let mut named = products(&answer);
            named.sort_unstable();
            named.dedup();
            prop_assert_eq!(named.len(), answer.len());
        }
    }

    #[test]
    fn the_order_of_arrival_does_not_matter(order in Just((0..8usize).collect::<Vec<_>>()).prop_shuffle()) {
        // Within the bounds of a history: eight products, each once.
        let events: Vec<Event> = (0..8).map(|n| event("x", Kind::View, &format!("p{n}"), n * 37)).collect();
        let shuffled: Vec<Event> = order.iter().map(|n| events[*n].clone()).collect();
        let (straight, shuffled) = (model(&events), model(&shuffled));
        for event in &events {
            let (expected, found) = (similar(&straight, event.product.as_str()), similar(&shuffled, event.product.as_str()));
            prop_assert_eq!(products(&expected), products(&found));
            let (expected, found) = (expected.iter(), found.iter());
            prop_assert!(expected.zip(found).all(|(a, b)| (a.score - b.score).abs() < 1e-9));
        }
    }
}

#[test]
fn broken_weights_make_a_dull_list_never_a_broken_one() {
    let mut model = model(&views(&[("x", "shoes", 0), ("x", "laces", 1), ("y", "shoes", 2)]));
    for weight in [f64::NAN, f64::INFINITY, -1.0] {
        Signal::ALL.iter().for_each(|signal| model.tuning_mut().blends.of_mut(Surface::Shopper).set(*signal, weight));
        assert!(model.recommend(&customer("y"), time(3)).is_empty());
        model.tuning_mut().blends.of_mut(Surface::Shopper).set(Signal::Trend, 1.0);
        assert_eq!(products(&model.recommend(&customer("y"), time(3))), ["shoes", "laces"]);
    }
}

#[test]
fn a_score_is_the_sum_of_its_parts() {
    let model = model(&views(&[("x", "shoes", 0), ("x", "laces", 1), ("y", "shoes", 2), ("y", "hat", 3)]));
    let candidates = model.recommend(&customer("x"), time(4));
    assert!(!candidates.is_empty());
    for candidate in candidates {
        let sum: f64 = Signal::ALL.iter().map(|signal| candidate.parts.of(*signal)).sum();
        assert!((candidate.score - sum).abs() < 1e-12, "{candidate:?}");
    }
}

#[test]
fn what_is_like_what_was_looked_at_is_found_though_nobody_ever_saw_it() {
    let facts = |brand: &str, title: &str| Facts { brand: Some(brand.into()), title: title.into(), ..Facts::default() };
    let mut model = Model::new();
    model.describe(&id("seen"), &facts("acme", "red wool hat"));
    model.describe(&id("alike"), &facts("Acme", "blue wool hat"));
    model.describe(&id("other"), &facts("apex", "garden hose"));
    model.fold(&event("x", Kind::View, "seen", 0));
    let similar = similar(&model, "seen");
    assert_eq!(products(&similar), ["alike"]);
    // Told anew, it is what it was told last.
    model.describe(&id("alike"), &facts("apex", "garden chair"));
    assert!(products(&self::similar(&model, "seen")).is_empty());
}

#[test]
fn buyers_of_the_same_lead_to_each_others_products() {
    let mut events = Vec::new();
    for n in 0..30 {
        let (shopper, extra) = (format!("s{n}"), if n % 2 == 0 { "bread" } else { "wine" });
        events.push(event(&shopper, Kind::Purchase, if n % 2 == 0 { "butter" } else { "cheese" }, n * DAY));
        events.push(event(&shopper, Kind::Purchase, extra, n * DAY + 12 * 60));
    }
    events.push(event("x", Kind::Purchase, "butter", 31 * DAY));
    let mut model = model(&events);
    let before = model.digest();
    model.tuning_mut().long_term.lambda = 1.0;
    let fitted = model.fit_long_term();
    model.install(fitted);
    assert_ne!(model.digest(), before, "what is fitted is part of the state");
    let context = model.context_of(&customer("x"), time(31 * DAY));
    let scores = model.score(&context, &Blend::none().with(Signal::LongTerm, 1.0));
    let best = scores.iter().max_by(|a, b| a.1.sum().total_cmp(&b.1.sum())).map(|(slot, _)| *slot);
    assert_eq!(best, model.slot(&id("bread")));
}

#[test]
fn who_goes_back_and_forth_is_shown_where_they_came_from() {
    // a b a b: the log teaches that one returns to the product before the last, never to the last itself.
    let mut events = Vec::new();
    for (visit, minute) in (0..20).flat_map(|visit| (0..6).map(move |step| (visit, visit * DAY + step))) {
        let side = if minute % 2 == 0 { "a" } else { "b" };
        events.push(event(&format!("s{visit}"), Kind::View, &format!("{side}{visit}"), minute));
    }
    let model = model(&events);
    let context = model.context_of(&customer("s19"), time(19 * DAY + 6));
    let scores = model.score(&context, &Blend::none().with(Signal::Return, 1.0));
    let score = |product| model.slot(&id(product)).and_then(|slot| scores.get(&slot)).map_or(0.0, |parts| parts.sum());
    assert!((score("a19") - 1.0).abs() < 1e-12 && score("b19") == 0.0);
}

#[test]
fn sessions_like_this_one_say_what_comes_next() {
    let mut events = Vec::new();
    for n in 0..10 {
        events.extend(views(&[(&format!("s{n}"), "shoes", n * DAY), (&format!("s{n}"), "laces", n * DAY + 1)]));
    }
    events.extend(views(&[("t", "hat", 0), ("t", "scarf", 1), ("x", "shoes", 11 * DAY)]));
    let model = model(&events);
    let context = model.context_of(&customer("x"), time(11 * DAY));
    let scores = model.score(&context, &Blend::none().with(Signal::Session, 1.0));
    let named: Vec<_> = scores.iter().filter(|(_, parts)| parts.sum() > 0.0).map(|(slot, _)| *slot).collect();
    assert!(named.contains(&model.slot(&id("laces")).expect("known")));
    assert!(!named.contains(&model.slot(&id("scarf")).expect("known")), "it shares nothing");
}
