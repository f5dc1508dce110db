//! What an experiment, a layer and a flag may be and become.

use std::collections::HashMap;
use std::time::SystemTime;

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::rec::v1::assignment::Standing;
use holdfast_contracts::rec::v1::experiment::UnitKind;
use holdfast_contracts::rec::v1::{
    Experiment, ExperimentPlan, ExperimentVariant, Flag, GetExperimentRequest, Layer, ListExperimentsRequest,
    ListFlagsRequest, StopExperimentRequest, UpsertFlagRequest, UpsertLayerRequest,
};
use holdfast_platform::pg;
use holdfast_platform::status::reason_of;

use super::lab::{DAY, HOUR, Lab, button, exposure, outcome};

fn named(id: &str, from: i32, to: i32) -> Experiment {
    Experiment { id: id.into(), bucket_from: from, bucket_to: to, ..button() }
}

async fn refused(lab: &Lab, experiment: Experiment) -> (Option<Reason>, String) {
    let refused = lab.upsert(experiment).await.expect_err("it is refused");
    (reason_of(&refused), refused.message().to_owned())
}

#[tokio::test]
async fn an_experiment_is_read_as_it_was_told() {
    let lab = Lab::new().await;
    let told = Experiment {
        description: "is green better?".into(),
        overrides: HashMap::from([("boss".into(), "green".into())]),
        ..button()
    };
    let made = lab.upsert(told.clone()).await.expect("it is made");
    let read = lab.client.clone().get_experiment(GetExperimentRequest { id: "button".into() }).await.expect("read");
    assert_eq!(read.get_ref(), &made);
    assert_eq!((&made.metrics, made.plan, &made.overrides), (&told.metrics, told.plan, &told.overrides));
    assert_eq!((made.bucket_from, made.bucket_to), (0, 1_000_000));
    assert_eq!(lab.upsert(told).await.expect("again"), made, "repeating it changes nothing");
}

#[tokio::test]
async fn experiments_of_a_layer_share_no_bucket_at_any_time() {
    let lab = Lab::new().await;
    lab.upsert(named("a", 0, 500_000)).await.expect("it is made");
    lab.upsert(named("b", 500_000, 1_000_000)).await.expect("beside it");
    lab.upsert(Experiment { layer: "price".into(), ..named("c", 0, 1_000_000) }).await.expect("another layer");
    let (reason, message) = refused(&lab, named("d", 499_999, 500_001)).await;
    assert_eq!(reason, Some(Reason::BucketsTaken));
    assert_eq!(message, "buckets 499999 to 500001 of page belong to another experiment at some time of d");
    let now = SystemTime::now();
    let later = |days: u32| Some((now + days * DAY).into());
    let after = Experiment { starts_at: later(2), ends_at: later(3), ..named("d", 0, 1_000_000) };
    lab.upsert(after).await.expect("at another time");

    lab.client.clone().stop_experiment(StopExperimentRequest { id: "a".into() }).await.expect("it is stopped");
    let next = Experiment { starts_at: later(1), ends_at: later(2), ..named("e", 0, 500_000) };
    lab.upsert(next).await.expect("a stopped experiment's buckets are free");

    let mut client = lab.client.clone();
    let mut listed = Vec::new();
    let mut page_token = String::new();
    loop {
        let page = client.list_experiments(ListExperimentsRequest { page_size: 2, page_token }).await.expect("a page");
        let page = page.into_inner();
        listed.extend(page.experiments.into_iter().map(|experiment| experiment.id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn a_running_experiment_may_only_be_ramped_up() {
    let lab = Lab::new().await;
    let half = Experiment { ramp_millionths: 500_000, ..button() };
    let half = lab.upsert(half).await.expect("it is made");
    let before: Vec<_> = lab.drawn_or_beyond(200).await;
    let (reason, message) = refused(&lab, Experiment { ramp_millionths: 400_000, ..half.clone() }).await;
    assert_eq!(reason, Some(Reason::ExperimentState));
    assert_eq!(
        message,
        "button has started: its ramp may only rise from 500000 to more millionths, not fall to 400000"
    );
    let heavier = vec![half.variants[0].clone(), ExperimentVariant { weight: 3, ..half.variants[1].clone() }];
    assert_eq!(refused(&lab, Experiment { variants: heavier, ..half.clone() }).await.0, Some(Reason::ExperimentState));
    let plan = half.plan.map(|plan| ExperimentPlan { alpha: 0.2, ..plan });
    assert_eq!(refused(&lab, Experiment { plan, ..half.clone() }).await.0, Some(Reason::ExperimentState));

    lab.upsert(Experiment { ramp_millionths: 1_000_000, ..half }).await.expect("it rises");
    let after = lab.drawn_or_beyond(200).await;
    assert!(before.iter().any(Option::is_none) && after.iter().all(Option::is_some));
    assert!(before.iter().zip(&after).all(|(before, after)| before.is_none() || before == after), "nobody switched");
}

impl Lab {
    /// Which variant each customer is drawn, where the ramp has come to it.
    async fn drawn_or_beyond(&self, customers: usize) -> Vec<Option<String>> {
        let mut drawn = Vec::new();
        for n in 0..customers {
            let assigned = self.assign(&format!("c{n}")).await.expect("an answer").experiments.remove(0);
            drawn.push((assigned.standing() == Standing::In).then_some(assigned.variant));
        }
        drawn
    }
}

#[tokio::test]
async fn who_is_held_out_overridden_or_shown_another_variant_never_counts() {
    let lab = Lab::new().await;
    let layer =
        |holdout_millionths| UpsertLayerRequest { layer: Some(Layer { id: "page".into(), holdout_millionths }) };
    lab.client.clone().upsert_layer(layer(500_000)).await.expect("a layer");
    lab.upsert(Experiment { overrides: HashMap::from([("boss".into(), "green".into())]), ..button() })
        .await
        .expect("made");
    let refused = lab.client.clone().upsert_layer(layer(600_000)).await.expect_err("units would leave");
    assert_eq!(reason_of(&refused), Some(Reason::ExperimentState));

    let boss = lab.assign("boss").await.expect("an answer").experiments.remove(0);
    assert_eq!((boss.variant.as_str(), boss.standing(), boss.record_exposure), ("green", Standing::Overridden, false));
    let (mut counted, mut exposures) = (0, vec![exposure("boss", "green", HOUR)]);
    for n in 0..200 {
        let customer = format!("c{n}");
        let assigned = lab.assign(&customer).await.expect("an answer").experiments.remove(0);
        assert_eq!(assigned.record_exposure, assigned.standing() == Standing::In);
        assert!(assigned.record_exposure || (assigned.standing() == Standing::HeldOut && assigned.variant == "grey"));
        counted += i32::from(assigned.record_exposure);
        exposures.extend(["grey", "green"].map(|variant| exposure(&customer, variant, HOUR)));
    }
    assert!((70..130).contains(&counted), "{counted}");
    let answer = lab.expose(exposures).await.expect("an answer");
    assert_eq!((answer.recorded, answer.ignored), (counted, 401 - counted));

    lab.client.clone().upsert_layer(layer(0)).await.expect("units may come");
    assert!(lab.drawn_or_beyond(200).await.iter().all(Option::is_some));
}

#[tokio::test]
async fn a_flag_may_change_at_any_time() {
    let lab = Lab::new().await;
    let variant = |name: &str| ExperimentVariant { name: name.into(), weight: if name == "off" { 1 } else { 10_000 } };
    let flag = Flag {
        id: "new-search".into(),
        unit: UnitKind::Customer.into(),
        variants: vec![variant("off"), variant("on")],
        ramp_millionths: 1_000_000,
        enabled: true,
        ..Flag::default()
    };
    let upsert = async |flag: Flag| {
        lab.client.clone().upsert_flag(UpsertFlagRequest { flag: Some(flag) }).await.expect("a flag");
        lab.assign("c1").await.expect("an answer").flags.remove(0).variant
    };
    assert_eq!(upsert(flag.clone()).await, "on");
    assert_eq!(upsert(Flag { ramp_millionths: 0, ..flag.clone() }).await, "off");
    assert_eq!(upsert(Flag { enabled: false, ..flag.clone() }).await, "off");
    let overrides = HashMap::from([("c1".to_owned(), "on".to_owned())]);
    assert_eq!(upsert(Flag { ramp_millionths: 0, overrides, ..flag }).await, "on");
    let listed = lab.client.clone().list_flags(ListFlagsRequest {}).await.expect("flags").into_inner().flags;
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn what_is_no_experiment_is_refused_with_what_is_wrong() {
    let lab = Lab::new().await;
    let plan = |plan: ExperimentPlan| Experiment { plan: Some(plan), ..button() };
    let told = button().plan.expect("a plan");
    let cases = [
        (Experiment { id: "Button".into(), ..button() }, "experiment.id has a character that is not accepted: 'B'"),
        (Experiment { unit: 0, ..button() }, "experiment.unit must be given"),
        (Experiment { unit: 9, ..button() }, "experiment.unit must be given"),
        (named("a", 7, 7), "experiment.bucket_to must be above"),
        (named("a", -1, 7), "experiment.bucket_to must be above"),
        (Experiment { ramp_millionths: 1_000_001, ..button() }, "experiment.ramp_millionths must be 0 to 1,000,000"),
        (Experiment { variants: vec![], ..button() }, "experiment has 0 variants"),
        (Experiment { metrics: vec![], ..button() }, "experiment has 0 metrics"),
        (Experiment { window: None, ..button() }, "experiment.window must be a duration"),
        (Experiment { ends_at: button().starts_at, ..button() }, "experiment must end after it starts"),
        (plan(ExperimentPlan { alpha: f64::NAN, ..told }), "experiment plan: alpha NaN must be between"),
        (plan(ExperimentPlan { baseline: f64::INFINITY, ..told }), "experiment plan: baseline inf must be"),
    ];
    for (experiment, message) in cases {
        let (reason, told) = refused(&lab, experiment).await;
        assert_eq!(reason, Some(Reason::InvalidArgument), "{told}");
        assert!(told.starts_with(message), "{told}");
    }
    let bad = outcome("c1", "revenue", f64::NAN, HOUR);
    let request = holdfast_contracts::rec::v1::RecordOutcomesRequest { outcomes: vec![bad] };
    let refused = lab.client.clone().record_outcomes(request).await.expect_err("no number");
    assert!(refused.message().starts_with("outcomes[0].value must be a number"), "{}", refused.message());
    let nobody = lab.assign("").await.expect_err("nobody asks");
    assert_eq!(nobody.message(), "customer_id or session_id must be given");
}

#[tokio::test]
async fn an_experiment_that_nobody_can_read_stops_no_other() {
    let lab = Lab::new().await;
    lab.upsert(Experiment { layer: "price".into(), ..named("bad", 0, 0) }).await.expect("it is made");
    let db = pg::connect(&lab.database_url).await.expect("a connection");
    db.client()
        .batch_execute(r#"UPDATE recs.experiment SET design = '{"id": 7}'"#)
        .await
        .expect("written past the service");
    lab.upsert(button()).await.expect("it is made");
    assert_eq!(lab.assign("c1").await.expect("an answer").experiments.len(), 1);
    let request = GetExperimentRequest { id: "bad".into() };
    let refused = lab.client.clone().get_experiment(request).await.expect_err("nobody can read it");
    assert!(matches!(reason_of(&refused), Some(Reason::Internal | Reason::Unavailable)), "{refused}");
}
