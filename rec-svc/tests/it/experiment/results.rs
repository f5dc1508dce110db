//! From an exposure to a verdict.

use std::time::SystemTime;

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::rec::v1::experiment::Phase;
use holdfast_contracts::rec::v1::guardrail_finding::State;
use holdfast_contracts::rec::v1::treatment_results::Verdict;
use holdfast_contracts::rec::v1::{GetResultsRequest, Results, StopExperimentRequest, TreatmentResults};
use holdfast_platform::status::reason_of;

use super::lab::{DAY, HOUR, Lab, button, doings, ended_button, exposure};

fn green(results: &Results) -> &TreatmentResults {
    let [treatment] = results.treatments.as_slice() else { panic!("one treatment") };
    assert_eq!(treatment.variant, "green");
    treatment
}

#[tokio::test]
async fn a_clear_difference_is_said_before_the_end_and_its_guardrail_holds() {
    let lab = Lab::new().await;
    let planned = lab.upsert(button()).await.expect("it is made").units_planned;
    assert_eq!(green(&lab.results().await).verdict(), Verdict::TooEarly);

    let drawn = lab.drawn(2_000).await;
    assert_eq!(lab.expose_drawn(&drawn, 2 * HOUR).await, 2_000);
    lab.tell(doings(&drawn, (5, 2), 2 * HOUR)).await;

    let results = lab.results().await;
    assert!(results.caught_up);
    assert_eq!((results.phase(), results.units, results.units_planned), (Phase::Running, 2_000, planned));
    let green = green(&results);
    assert_eq!(green.verdict(), Verdict::Better, "{}", green.words);
    assert!(green.words.starts_with("better: conversion changes by somewhere between "), "{}", green.words);
    let primary = green.primary.as_ref().expect("a finding");
    assert!(primary.always_valid && (primary.confidence - 0.99).abs() < 1e-9, "{primary:?}");
    assert!((primary.control - 0.2).abs() < 0.002 && (primary.treatment - 0.5).abs() < 0.002, "{primary:?}");
    let lift = primary.lift.expect("a mean far from zero");
    assert!(lift.low > 0.5 && lift.low < 1.5 && lift.high > 1.5, "{lift:?}");
    assert_eq!(green.guardrails[0].state(), State::Held);
    assert!(green.secondary[0].unclaimed, "nothing is claimed of it before the end");
    let clicks = green.secondary[0].finding.as_ref().expect("a finding");
    assert!((clicks.control - 0.25).abs() < 0.001, "{clicks:?}");
}

#[tokio::test]
async fn at_the_planned_end_there_is_one_test() {
    let (twin, lab) = (Lab::new().await, Lab::new().await);
    twin.upsert(button()).await.expect("it is made");
    lab.upsert(ended_button()).await.expect("it is made");
    assert!(lab.assign("c1").await.expect("an answer").experiments.is_empty(), "it is over");

    // The hash is the same wherever it is computed.
    let drawn = twin.drawn(1_200).await;
    assert_eq!(lab.expose_drawn(&drawn, 3 * HOUR).await, 1_200);
    let late = lab.expose(vec![exposure("late", "grey", HOUR / 2)]).await.expect("an answer");
    assert_eq!((late.recorded, late.ignored), (0, 1), "exposures after the end do not count");
    lab.tell(doings(&drawn, (5, 5), 3 * HOUR)).await;

    let results = lab.results().await;
    assert_eq!(results.phase(), Phase::Ended);
    let green = green(&results);
    assert_eq!(green.verdict(), Verdict::NoDifferenceShown, "{}", green.words);
    assert!(green.words.contains("that is not to say that there is none"), "{}", green.words);
    let primary = green.primary.as_ref().expect("a finding");
    assert!(!primary.always_valid && (primary.confidence - 0.96).abs() < 1e-9, "{primary:?}");
    assert!(!green.secondary[0].unclaimed && !green.secondary[0].stands_out);
}

#[tokio::test]
async fn a_sample_ratio_mismatch_blocks_every_number() {
    let lab = Lab::new().await;
    lab.upsert(button()).await.expect("it is made");
    let mut drawn = lab.drawn(2_000).await;
    // Every fifth green page fails before it says that it was shown.
    let mut green_ones = 0;
    drawn.retain(|_, variant| {
        green_ones += usize::from(variant == "green");
        variant == "grey" || green_ones % 5 != 0
    });
    lab.expose_drawn(&drawn, 2 * HOUR).await;
    lab.tell(doings(&drawn, (5, 2), 2 * HOUR)).await;
    let results = lab.results().await;
    let green = green(&results);
    assert_eq!(green.verdict(), Verdict::SampleRatioMismatch);
    assert!(green.words.starts_with("no verdict: the variants do not have the units they should"), "{}", green.words);
    assert!(green.primary.is_none() && green.guardrails.is_empty() && green.secondary.is_empty());
    assert!(results.sample_ratio.expect("counts").mismatch);
}

#[tokio::test]
async fn a_stopped_experiment_gives_everybody_the_control_and_makes_no_planned_test() {
    let lab = Lab::new().await;
    lab.upsert(button()).await.expect("it is made");
    let drawn = lab.drawn(1_200).await;
    lab.expose_drawn(&drawn, 3 * HOUR).await;
    lab.tell(doings(&drawn, (5, 4), 3 * HOUR)).await;
    let stop = || async { lab.client.clone().stop_experiment(StopExperimentRequest { id: "button".into() }).await };
    let stopped = stop().await.expect("it is stopped").into_inner();
    assert_eq!(stopped.phase(), Phase::Stopped);
    assert_eq!(stop().await.expect("again").into_inner().stopped_at, stopped.stopped_at);

    assert!(lab.assign("c1").await.expect("an answer").experiments.is_empty());
    let results = lab.results().await;
    assert_eq!(results.phase(), Phase::Stopped);
    let green = green(&results);
    assert!(green.primary.as_ref().is_some_and(|finding| finding.always_valid));
    assert_eq!(green.verdict(), Verdict::NoDifferenceShown, "{}", green.words);
}

#[tokio::test]
async fn results_of_nothing_are_not_found() {
    let lab = Lab::new().await;
    let request = GetResultsRequest { id: "nothing".into() };
    let refused = lab.client.clone().get_results(request).await.expect_err("there is none");
    assert_eq!(reason_of(&refused), Some(Reason::ExperimentNotFound));
    let refused = lab.expose(vec![exposure("c1", "grey", HOUR)]).await.expect_err("there is none");
    assert_eq!(reason_of(&refused), Some(Reason::ExperimentNotFound));
    let before = (SystemTime::now() + DAY).into();
    lab.upsert(holdfast_contracts::rec::v1::Experiment {
        starts_at: Some(before),
        ends_at: Some((SystemTime::now() + 2 * DAY).into()),
        ..button()
    })
    .await
    .expect("it is made");
    assert_eq!(green(&lab.results().await).words, "too early: it has not started");
}
