//! ExperimentService.

mod design;
mod record;
mod results;

use std::time::SystemTime;

use holdfast_contracts::rec::v1 as pb;
use holdfast_contracts::rec::v1::experiment_service_server::ExperimentService;
use holdfast_platform::deadline::Deadline;
use holdfast_platform::status::Refusal;
use tonic::{Request, Response, Status};

use crate::domain::Time;
use crate::domain::experiment::{Flag, Name};
use crate::usecase::Experiments;

/// How many experiments a page has where the caller does not say.
const PAGE_SIZE_DEFAULT: usize = 50;
/// How many it has at most; more may be asked for, but are not given.
const PAGE_SIZE_MAX: usize = 100;

/// The generated trait over the use cases.
#[derive(Debug)]
pub(crate) struct ExperimentDoor {
    experiments: Experiments,
}

impl ExperimentDoor {
    pub(crate) fn new(experiments: Experiments) -> Self {
        Self { experiments }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ExperimentService for ExperimentDoor {
    async fn upsert_experiment(&self, request: Request<pb::UpsertExperimentRequest>) -> Answer<pb::Experiment> {
        let (deadline, now) = (Deadline::of(&request), now());
        let given = request.into_inner().experiment.ok_or_else(|| Refusal::invalid("experiment", "must be given"))?;
        let design = design::parse_design(given)?;
        let experiment = self.experiments.upsert(design, now, deadline).await.map_err(Refusal::from)?;
        Ok(Response::new(design::write_experiment(&experiment, now)))
    }

    async fn get_experiment(&self, request: Request<pb::GetExperimentRequest>) -> Answer<pb::Experiment> {
        let deadline = Deadline::of(&request);
        let id = parse_name("id", &request.into_inner().id)?;
        let experiment = self.experiments.get(&id, deadline).await.map_err(Refusal::from)?;
        Ok(Response::new(design::write_experiment(&experiment, now())))
    }

    async fn list_experiments(
        &self,
        request: Request<pb::ListExperimentsRequest>,
    ) -> Answer<pb::ListExperimentsResponse> {
        let deadline = Deadline::of(&request);
        let pb::ListExperimentsRequest { page_size, page_token } = request.into_inner();
        let page_size = match usize::try_from(page_size) {
            Ok(0) => PAGE_SIZE_DEFAULT,
            Ok(page_size) => page_size.min(PAGE_SIZE_MAX),
            Err(_) => return Err(Refusal::invalid("page_size", "must not be negative").into()),
        };
        let after = match &*page_token {
            "" => None,
            token => Some(parse_name("page_token", token)?),
        };
        let listed = self.experiments.list(after.as_ref(), page_size, deadline).await.map_err(Refusal::from)?;
        let last = listed.last().filter(|_| listed.len() == page_size);
        let next_page_token = last.map_or_else(String::new, |last| last.design().id.to_string());
        let experiments = listed.iter().map(|experiment| design::write_experiment(experiment, now())).collect();
        Ok(Response::new(pb::ListExperimentsResponse { experiments, next_page_token }))
    }

    async fn stop_experiment(&self, request: Request<pb::StopExperimentRequest>) -> Answer<pb::Experiment> {
        let (deadline, now) = (Deadline::of(&request), now());
        let id = parse_name("id", &request.into_inner().id)?;
        let experiment = self.experiments.stop(&id, now, deadline).await.map_err(Refusal::from)?;
        Ok(Response::new(design::write_experiment(&experiment, now)))
    }

    async fn get_results(&self, request: Request<pb::GetResultsRequest>) -> Answer<pb::Results> {
        let deadline = Deadline::of(&request);
        let id = parse_name("id", &request.into_inner().id)?;
        let look = self.experiments.look(&id, now(), deadline).await.map_err(Refusal::from)?;
        Ok(Response::new(results::write_look(&look)))
    }

    async fn assign(&self, request: Request<pb::AssignRequest>) -> Answer<pb::AssignResponse> {
        let asker = record::parse_asker(&request.get_ref().customer_id, &request.get_ref().session_id)
            .map_err(|(field, problem)| Refusal::invalid(field, problem))?;
        let (assigned, flags) = self.experiments.assign(&asker, now());
        let flags = flags
            .into_iter()
            .map(|(flag, variant)| pb::FlagAssignment { flag_id: flag.into(), variant: variant.into() });
        let experiments = assigned.into_iter().map(record::write_assigned).collect();
        Ok(Response::new(pb::AssignResponse { experiments, flags: flags.collect() }))
    }

    async fn record_exposures(
        &self,
        request: Request<pb::RecordExposuresRequest>,
    ) -> Answer<pb::RecordExposuresResponse> {
        let (deadline, now) = (Deadline::of(&request), now());
        let exposures = record::parse_exposures(request.into_inner().exposures, now)?;
        let recorded = self.experiments.record_exposures(&exposures, now, deadline).await.map_err(Refusal::from)?;
        let recorded_units = i32::try_from(recorded.units).expect("a call has at most a thousand");
        let ignored = i32::try_from(recorded.ignored).expect("a call has at most a thousand");
        Ok(Response::new(pb::RecordExposuresResponse { recorded: recorded_units, ignored }))
    }

    async fn record_outcomes(&self, request: Request<pb::RecordOutcomesRequest>) -> Answer<pb::RecordOutcomesResponse> {
        let deadline = Deadline::of(&request);
        let outcomes = record::parse_outcomes(request.into_inner().outcomes, now())?;
        let recorded = self.experiments.record_outcomes(&outcomes, deadline).await.map_err(Refusal::from)?;
        let recorded = i32::try_from(recorded).expect("a call has at most a thousand");
        Ok(Response::new(pb::RecordOutcomesResponse { recorded }))
    }

    async fn upsert_layer(&self, request: Request<pb::UpsertLayerRequest>) -> Answer<pb::Layer> {
        let deadline = Deadline::of(&request);
        let given = request.into_inner().layer.ok_or_else(|| Refusal::invalid("layer", "must be given"))?;
        let layer = design::parse_layer(&given)?;
        self.experiments.upsert_layer(&layer, deadline).await.map_err(Refusal::from)?;
        Ok(Response::new(given))
    }

    async fn upsert_flag(&self, request: Request<pb::UpsertFlagRequest>) -> Answer<pb::Flag> {
        let deadline = Deadline::of(&request);
        let given = request.into_inner().flag.ok_or_else(|| Refusal::invalid("flag", "must be given"))?;
        let flag = self.experiments.upsert_flag(design::parse_flag(given)?, deadline).await.map_err(Refusal::from)?;
        Ok(Response::new(design::write_flag(&flag)))
    }

    async fn list_flags(&self, request: Request<pb::ListFlagsRequest>) -> Answer<pb::ListFlagsResponse> {
        let flags = self.experiments.list_flags(Deadline::of(&request)).await.map_err(Refusal::from)?;
        let flags = flags.iter().map(|flag: &Flag| design::write_flag(flag)).collect();
        Ok(Response::new(pb::ListFlagsResponse { flags }))
    }
}

fn now() -> Time {
    SystemTime::now().into()
}

fn parse_name(field: &str, text: &str) -> Result<Name, Refusal> {
    text.parse().map_err(|problem| Refusal::invalid(field, problem))
}
