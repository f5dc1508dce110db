//! Sums are a function of what was recorded, in whatever order and by whomever it was.

use std::time::Duration;

use holdfast_contracts::RequestId;
use holdfast_contracts::events::v1::behaviour_event::Kind;
use holdfast_contracts::rec::v1::experiment_metric::{Measure, Role};
use holdfast_contracts::rec::v1::{Experiment, RecordEventsRequest, Results};
use holdfast_platform::pg;

use super::lab::{HOUR, Lab, button, doings, exposure, metric, outcome};
use crate::world::event;

const MINUTE: Duration = Duration::from_secs(60);

/// An experiment of one mean, with what was done in the hour before as its covariate.
fn revenue() -> Experiment {
    let mut experiment = button();
    experiment.metrics = vec![metric("revenue", Measure::Mean, "revenue", Role::Primary)];
    experiment.metrics[0].covariate = true;
    experiment.before = Some(prost_types::Duration { seconds: 3_600, nanos: 0 });
    experiment.plan = experiment.plan.map(|mut plan| {
        (plan.baseline, plan.deviation) = (10.0, 10.0);
        plan
    });
    experiment
}

/// The sums as they are stored: variant, units, y and w.
async fn sums(lab: &Lab) -> Vec<(i16, i64, f64, f64)> {
    lab.results().await;
    let db = pg::connect(&lab.database_url).await.expect("a connection");
    let sql = "SELECT variant, units, y, w FROM recs.experiment_sum WHERE metric = 0 ORDER BY variant";
    let rows = db.client().query(sql, &[]).await.expect("rows");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
}

async fn variant_of(lab: &Lab, customer: &str) -> (String, i16) {
    let variant = lab.assign(customer).await.expect("an answer").experiments[0].variant.clone();
    let no = i16::from(variant == "green");
    (variant, no)
}

#[tokio::test]
async fn only_what_is_done_in_the_window_after_the_first_exposure_counts() {
    let lab = Lab::new().await;
    lab.upsert(revenue()).await.expect("it is made");
    let (variant, no) = variant_of(&lab, "c1").await;
    lab.tell(vec![
        outcome("c1", "revenue", 1.0, 5 * HOUR),
        outcome("c1", "revenue", 2.0, 3 * HOUR + 30 * MINUTE),
        outcome("c1", "revenue", 4.0, 3 * HOUR - 5 * MINUTE),
        outcome("c1", "revenue", 8.0, 3 * HOUR - 11 * MINUTE),
        outcome("c2", "revenue", 16.0, 3 * HOUR - 5 * MINUTE),
        outcome("c1", "sale", 32.0, 3 * HOUR - 5 * MINUTE),
    ])
    .await;
    assert!(sums(&lab).await.is_empty(), "nobody met the difference");
    let exposures = vec![exposure("c1", &variant, 2 * HOUR), exposure("c1", &variant, 3 * HOUR)];
    assert_eq!(lab.expose(exposures.clone()).await.expect("recorded").recorded, 1);
    assert_eq!(lab.expose(exposures).await.expect("recorded").recorded, 0);
    let of = |sums: Vec<(i16, i64, f64, f64)>| sums.into_iter().find(|sum| sum.0 == no).expect("a sum");
    assert_eq!(of(sums(&lab).await), (no, 1, 4.0, 2.0));

    // An earlier exposure, told later, is the first all the same.
    lab.expose(vec![exposure("c1", &variant, 5 * HOUR + 5 * MINUTE)]).await.expect("recorded");
    assert_eq!(of(sums(&lab).await), (no, 1, 1.0, 0.0));
    // So is an outcome told late.
    lab.tell(vec![outcome("c1", "revenue", 0.5, 5 * HOUR), outcome("c1", "revenue", 0.25, 6 * HOUR)]).await;
    assert_eq!(of(sums(&lab).await), (no, 1, 1.5, 0.25));
    // Nobody is in the sums before its time is over.
    let (variant, _) = variant_of(&lab, "c3").await;
    lab.expose(vec![exposure("c3", &variant, 5 * MINUTE)]).await.expect("recorded");
    assert_eq!(sums(&lab).await.iter().map(|sum| sum.1).sum::<i64>(), 1);
    assert_eq!(exposed(&lab.results().await), 2);
}

fn exposed(results: &Results) -> i64 {
    results.sample_ratio.as_ref().expect("counts").variants.iter().map(|variant| variant.units).sum()
}

#[tokio::test]
async fn repeated_outcomes_count_once() {
    let lab = Lab::new().await;
    lab.upsert(revenue()).await.expect("it is made");
    let (variant, no) = variant_of(&lab, "c1").await;
    lab.expose(vec![exposure("c1", &variant, HOUR)]).await.expect("recorded");
    let told = vec![outcome("c1", "revenue", 3.0, 55 * MINUTE)];
    assert_eq!(lab.tell([told.clone(), told.clone()].concat()).await, 1);
    assert_eq!(lab.tell(told).await, 0);
    assert_eq!(sums(&lab).await[usize::try_from(no).expect("0 or 1")], (no, 1, 3.0, 0.0));
}

#[tokio::test]
async fn carts_and_purchases_are_taken_from_the_log_of_events() {
    let lab = Lab::new().await;
    let mut experiment = button();
    experiment.metrics = vec![
        metric("buyers", Measure::Proportion, "purchase", Role::Primary),
        metric("carts", Measure::Mean, "add_to_cart", Role::Secondary),
    ];
    lab.upsert(experiment).await.expect("it is made");
    let (variant, no) = variant_of(&lab, "c1").await;
    lab.expose(vec![exposure("c1", &variant, HOUR)]).await.expect("recorded");
    assert_eq!(sums(&lab).await[usize::try_from(no).expect("0 or 1")].2, 0.0);
    // After the fold: it is put right.
    let events = [Kind::View, Kind::AddToCart, Kind::Purchase, Kind::Purchase].map(|kind| event("c1", kind, "p", 55));
    lab.events.clone().record_events(RecordEventsRequest { events: events.to_vec() }).await.expect("recorded");
    assert_eq!(sums(&lab).await[usize::try_from(no).expect("0 or 1")], (no, 1, 1.0, 0.0));
    let refused =
        holdfast_contracts::rec::v1::RecordOutcomesRequest { outcomes: vec![outcome("c1", "purchase", 1.0, HOUR)] };
    let refused = lab.client.clone().record_outcomes(refused).await.expect_err("it would count twice");
    assert_eq!(refused.message(), "outcomes purchase is counted by itself: it must not be told");
}

/// Writers on two replicas, with looks in between, leave what one writer leaves that looks once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writers_and_looks_leave_the_sums_of_one() {
    let (lab, alone) = (Lab::new().await, Lab::new().await);
    lab.upsert(button()).await.expect("it is made");
    alone.upsert(button()).await.expect("it is made");
    let other = Lab::on(lab.database_url.clone()).await;
    let drawn = lab.drawn(400).await;
    let done = doings(&drawn, (5, 2), 2 * HOUR);
    // Each is told twice, the later exposure first.
    let tell = |replica: usize| {
        let (lab, drawn, done) = (if replica == 0 { &lab } else { &other }, &drawn, &done);
        async move {
            for (n, outcomes) in done.chunks(100).enumerate() {
                let ago = if (n + replica).is_multiple_of(2) { HOUR } else { 2 * HOUR };
                let part: Vec<_> = drawn
                    .iter()
                    .skip(n % 4 * 100)
                    .take(100)
                    .map(|(unit, variant)| exposure(unit, variant, ago))
                    .collect();
                lab.expose(part).await.expect("recorded");
                lab.tell(outcomes.to_vec()).await;
                lab.results().await;
            }
        }
    };
    futures_util::future::join(tell(0), tell(1)).await;
    lab.expose_drawn(&drawn, 2 * HOUR).await;
    alone.expose_drawn(&drawn, 2 * HOUR).await;
    alone.tell(done).await;
    let (many, one) = (lab.results().await, alone.results().await);
    assert_eq!(exposed(&many), 400);
    assert_eq!(many, one);
    assert_eq!(sums(&lab).await, sums(&alone).await);
}

#[tokio::test]
async fn a_restart_or_a_restored_log_changes_no_number() {
    let lab = Lab::new().await;
    lab.upsert(button()).await.expect("it is made");
    let drawn = lab.drawn(300).await;
    lab.expose_drawn(&drawn, 2 * HOUR).await;
    lab.tell(doings(&drawn, (5, 2), 2 * HOUR)).await;
    let before = lab.results().await;
    lab.service.stop().await;
    let db = pg::connect(&lab.database_url).await.expect("a connection");
    // As a dump would have it: transaction numbers this server is far from giving out.
    let restored = "UPDATE recs.outcome SET xact = xact + 1000000000; UPDATE recs.experiment SET outcome_xact = outcome_xact + 1000000000";
    db.client().batch_execute(restored).await.expect("updated");
    assert_eq!(rec_svc::migrate(&lab.database_url).await.expect("migrates"), 0);
    let again = Lab::on(lab.database_url).await;
    assert_eq!(again.results().await, before);
    again.tell(vec![outcome("c1", "sale", 1.0, 2 * HOUR - 5 * MINUTE)]).await;
    let row =
        db.client().query_one("SELECT sum(y) FROM recs.experiment_sum WHERE metric = 0", &[]).await.expect("a row");
    let sales = row.get::<_, f64>(0);
    again.results().await;
    let row = db
        .client()
        .query_one("SELECT reading[1] FROM recs.experiment_unit WHERE unit_id = 'c1'", &[])
        .await
        .expect("a row");
    assert_eq!(row.get::<_, f64>(0), 1.0, "what is told after it is folded too; {sales} sales before");
}

#[tokio::test]
async fn a_session_is_a_unit_as_a_customer_is() {
    let lab = Lab::new().await;
    let mut experiment = revenue();
    experiment.unit = holdfast_contracts::rec::v1::experiment::UnitKind::Session.into();
    lab.upsert(experiment).await.expect("it is made");
    assert!(lab.assign("s1").await.expect("an answer").experiments.is_empty(), "it is about sessions");
    let both = holdfast_contracts::rec::v1::AssignRequest { customer_id: "c1".into(), session_id: "s1".into() };
    let assigned = lab.client.clone().assign(both).await.expect("an answer").into_inner();
    lab.expose(vec![exposure("s1", &assigned.experiments[0].variant, HOUR)]).await.expect("recorded");
    let told = holdfast_contracts::rec::v1::Outcome {
        id: RequestId::now_v7().to_string(),
        session_id: "s1".into(),
        ..outcome("c1", "revenue", 7.0, 55 * MINUTE)
    };
    lab.tell(vec![told, outcome("s1", "revenue", 9.0, 55 * MINUTE)]).await;
    assert_eq!(sums(&lab).await.iter().map(|sum| sum.2).sum::<f64>(), 7.0, "a customer of that name is another");
}
