//! A service on a database of its own, with experiments in it.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use holdfast_contracts::RequestId;
use holdfast_contracts::rec::v1::experiment::UnitKind;
use holdfast_contracts::rec::v1::experiment_metric::{Direction, Measure, Role};
use holdfast_contracts::rec::v1::experiment_service_client::ExperimentServiceClient;
use holdfast_contracts::rec::v1::recommendation_service_client::RecommendationServiceClient;
use holdfast_contracts::rec::v1::{
    AssignRequest, AssignResponse, Experiment, ExperimentMetric, ExperimentPlan, ExperimentVariant, Exposure,
    GetResultsRequest, Outcome, RecordExposuresRequest, RecordExposuresResponse, RecordOutcomesRequest, Results,
    UpsertExperimentRequest,
};
use holdfast_platform::client::{Wire, in_process};
use holdfast_platform::pg::testing::fresh_database;
use rec_svc::{Config, Deps, Service};
use tonic::Status;
use tonic::service::Routes;

use crate::shop::Shop;

/// How long a test waits for the sums before it fails.
const PATIENCE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3_600);
pub(super) const DAY: Duration = Duration::from_secs(86_400);

pub(super) struct Lab {
    pub(super) database_url: String,
    pub(super) service: Service,
    pub(super) client: ExperimentServiceClient<Wire>,
    pub(super) events: RecommendationServiceClient<Wire>,
}

impl Lab {
    pub(super) async fn new() -> Self {
        let database_url = fresh_database().await;
        rec_svc::migrate(&database_url).await.expect("a fresh database migrates");
        Self::on(database_url).await
    }

    /// Another replica, or the same after a restart.
    pub(super) async fn on(database_url: String) -> Self {
        let deps = Deps { inventory: Shop::default().wire() };
        let service = Service::start(Config::new(&database_url), deps).await.expect("the service starts");
        let mut routes = Routes::builder();
        service.add_to(&mut routes);
        let wire = in_process(routes.routes());
        let (client, events) = (ExperimentServiceClient::new(wire.clone()), RecommendationServiceClient::new(wire));
        Self { database_url, service, client, events }
    }

    pub(super) async fn upsert(&self, experiment: Experiment) -> Result<Experiment, Status> {
        let request = UpsertExperimentRequest { experiment: Some(experiment) };
        Ok(self.client.clone().upsert_experiment(request).await?.into_inner())
    }

    pub(super) async fn assign(&self, customer: &str) -> Result<AssignResponse, Status> {
        let request = AssignRequest { customer_id: customer.into(), session_id: String::new() };
        Ok(self.client.clone().assign(request).await?.into_inner())
    }

    /// Which variant each of the first so many customers gets in the one experiment there is.
    pub(super) async fn drawn(&self, customers: usize) -> BTreeMap<String, String> {
        let mut drawn = BTreeMap::new();
        for n in 0..customers {
            let customer = format!("c{n}");
            let assigned = self.assign(&customer).await.expect("an answer").experiments;
            drawn.insert(customer, assigned[0].variant.clone());
        }
        drawn
    }

    pub(super) async fn expose(&self, exposures: Vec<Exposure>) -> Result<RecordExposuresResponse, Status> {
        Ok(self.client.clone().record_exposures(RecordExposuresRequest { exposures }).await?.into_inner())
    }

    /// Exposes them all, so long ago.
    pub(super) async fn expose_drawn(&self, drawn: &BTreeMap<String, String>, ago: Duration) -> i32 {
        let mut recorded = 0;
        let exposures: Vec<Exposure> = drawn.iter().map(|(unit, variant)| exposure(unit, variant, ago)).collect();
        for exposures in exposures.chunks(1_000) {
            recorded += self.expose(exposures.to_vec()).await.expect("recorded").recorded;
        }
        recorded
    }

    pub(super) async fn tell(&self, outcomes: Vec<Outcome>) -> i32 {
        let mut recorded = 0;
        for outcomes in outcomes.chunks(1_000) {
            let request = RecordOutcomesRequest { outcomes: outcomes.to_vec() };
            recorded += self.client.clone().record_outcomes(request).await.expect("recorded").into_inner().recorded;
        }
        recorded
    }

    /// Once all that was recorded is in: other tests' transactions on the same server hold the log's end back.
    pub(super) async fn results(&self) -> Results {
        let caught_up = async {
            loop {
                let request = GetResultsRequest { id: "button".into() };
                let results = self.client.clone().get_results(request).await.expect("results").into_inner();
                if results.caught_up {
                    return results;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, caught_up).await.expect("the sums follow the logs")
    }
}

/// Runs since two days ago, for a day to come: purchases decide, revenue guards, and views are beside the point.
pub(super) fn button() -> Experiment {
    let variant = |name: &str| ExperimentVariant { name: name.into(), weight: 1 };
    Experiment {
        id: "button".into(),
        layer: "page".into(),
        unit: UnitKind::Customer.into(),
        variants: vec![variant("grey"), variant("green")],
        ramp_millionths: 1_000_000,
        metrics: vec![
            metric("conversion", Measure::Proportion, "sale", Role::Primary),
            ExperimentMetric { margin: 0.5, ..metric("revenue", Measure::Mean, "revenue", Role::Guardrail) },
            ExperimentMetric { per: "view".into(), ..metric("clicks", Measure::Ratio, "click", Role::Secondary) },
        ],
        plan: Some(ExperimentPlan { baseline: 0.2, deviation: 0.0, effect_min: 0.5, alpha: 0.05, power: 0.8 }),
        starts_at: Some((SystemTime::now() - 2 * DAY).into()),
        ends_at: Some((SystemTime::now() + DAY).into()),
        window: Some(prost_types::Duration { seconds: 600, nanos: 0 }),
        ..Experiment::default()
    }
}

/// The same, but over an hour ago.
pub(super) fn ended_button() -> Experiment {
    Experiment { ends_at: Some((SystemTime::now() - HOUR).into()), ..button() }
}

pub(super) fn metric(name: &str, measure: Measure, of: &str, role: Role) -> ExperimentMetric {
    ExperimentMetric {
        name: name.into(),
        measure: measure.into(),
        of: of.into(),
        direction: Direction::Increase.into(),
        role: role.into(),
        ..ExperimentMetric::default()
    }
}

pub(super) fn exposure(unit: &str, variant: &str, ago: Duration) -> Exposure {
    Exposure {
        experiment_id: "button".into(),
        unit_id: unit.into(),
        variant: variant.into(),
        event_time: Some((SystemTime::now() - ago).into()),
    }
}

pub(super) fn outcome(customer: &str, name: &str, value: f64, ago: Duration) -> Outcome {
    Outcome {
        id: RequestId::now_v7().to_string(),
        customer_id: customer.into(),
        session_id: String::new(),
        name: name.into(),
        value,
        event_time: Some((SystemTime::now() - ago).into()),
    }
}

/// What customers do within five minutes of an exposure so long ago: every n-th of the grey ones buys, every m-th of the
/// green ones; all look, and half of them click.
pub(super) fn doings(drawn: &BTreeMap<String, String>, every: (usize, usize), ago: Duration) -> Vec<Outcome> {
    let soon = ago - Duration::from_secs(300);
    let (mut seen, mut done) = ((0, 0), Vec::new());
    for (customer, variant) in drawn {
        let (count, every) = if variant == "grey" { (&mut seen.0, every.0) } else { (&mut seen.1, every.1) };
        *count += 1;
        if *count % every == 0 {
            done.push(outcome(customer, "sale", 1.0, soon));
        }
        if *count % 2 == 0 {
            done.push(outcome(customer, "click", 1.0, soon));
        }
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        done.push(outcome(customer, "revenue", 10.0 + (*count % 7) as f64, soon));
        done.push(outcome(customer, "view", 2.0, soon));
    }
    done
}
