//! `/livez`: this process answers. `/readyz`: every service behind it does too, by `grpc.health.v1`.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use holdfast_platform::client::Wire;
use http::{Response, StatusCode};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::answer::json_response;
use crate::body::Body;
use crate::context::Context;

/// How long a service may take to say that it is well.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);
/// How long an answer is believed, so that probes cost the services little.
const CACHED_FOR: Duration = Duration::from_secs(1);

/// The readiness of every upstream, checked at most once per [`CACHED_FOR`].
#[derive(Debug)]
pub(crate) struct Readiness {
    upstreams: Vec<(String, Wire)>,
    last: Mutex<Option<(Instant, Report)>>,
}

#[derive(Debug, Clone, Serialize)]
struct Report {
    ready: bool,
    services: BTreeMap<String, &'static str>,
}

impl Readiness {
    pub(crate) fn new(upstreams: Vec<(String, Wire)>) -> Self {
        Self { upstreams, last: Mutex::new(None) }
    }

    pub(crate) async fn respond(&self, cx: &Context) -> Response<Body> {
        let report = self.report().await;
        let json = serde_json::to_vec(&report).expect("strings have a JSON form");
        let mut response = json_response(json.into(), cx);
        if !report.ready {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        response
    }

    async fn report(&self) -> Report {
        // Held across the checks on purpose: probes that come meanwhile wait for the one answer.
        let mut last = self.last.lock().await;
        if let Some((at, report)) = last.as_ref()
            && at.elapsed() < CACHED_FOR
        {
            return report.clone();
        }
        let checks =
            self.upstreams.iter().map(|(service, wire)| async { (service.clone(), ask_health(wire.clone()).await) });
        let services: BTreeMap<_, _> = join_all(checks).await.into_iter().collect();
        let report = Report { ready: services.values().all(|status| *status == "serving"), services };
        *last = Some((Instant::now(), report.clone()));
        report
    }
}

async fn ask_health(wire: Wire) -> &'static str {
    let mut client = HealthClient::new(wire);
    match timeout(CHECK_TIMEOUT, client.check(HealthCheckRequest::default())).await {
        Ok(Ok(answer)) if answer.get_ref().status() == ServingStatus::Serving => "serving",
        Ok(Ok(_)) => "not serving",
        Ok(Err(_)) => "unreachable",
        Err(_) => "no answer in time",
    }
}
