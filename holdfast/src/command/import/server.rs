//! Calls to the server: each with a deadline, repeated where that can help, and told apart from refusals.

use std::time::Duration;

use anyhow::anyhow;
use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::inventory::v1::catalog_service_client::CatalogServiceClient;
use holdfast_contracts::inventory::v1::inventory_service_client::InventoryServiceClient;
use holdfast_platform::client::Wire;
use holdfast_platform::deadline::Deadline;
use holdfast_platform::status::reason_of;
use inventory_svc::domain::feed::Fault;
use tonic::{Code, Request, Response, Status};

const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a call is tried; the pauses between add up to about six seconds.
const ATTEMPTS_MAX: u32 = 7;
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// The server's two doors an import needs.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) catalog: CatalogServiceClient<Wire>,
    pub(super) inventory: InventoryServiceClient<Wire>,
}

/// The server's "no" to one thing, which says nothing against the next.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) reason: Option<Reason>,
    pub(super) code: Code,
    pub(super) message: String,
}

impl Server {
    pub(super) fn new(wire: Wire) -> Self {
        Self { catalog: CatalogServiceClient::new(wire.clone()), inventory: InventoryServiceClient::new(wire) }
    }
}

/// Calls until there is an answer. Only for calls with one effect however often they are repeated: all of an
/// import's are.
///
/// # Errors
/// The outer one where going on makes no sense; the inner one is a refusal.
pub(super) async fn ask<M, R>(
    message: M,
    call: impl AsyncFn(Request<M>) -> Result<Response<R>, Status>,
) -> anyhow::Result<Result<R, Refused>>
where
    M: Clone,
{
    let mut pause = PAUSE_FIRST;
    let mut attempt = 1;
    loop {
        let deadline = Deadline::after(CALL_TIMEOUT);
        let answered = tokio::time::timeout_at(deadline.instant(), call(deadline.request(message.clone()))).await;
        let status = match answered {
            Ok(Ok(response)) => return Ok(Ok(response.into_inner())),
            Ok(Err(status)) => status,
            Err(_) => Status::deadline_exceeded("the server did not answer in time"),
        };
        match status.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted if attempt < ATTEMPTS_MAX => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
                attempt += 1;
            }
            Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange => return Ok(Err(Refused::from(status))),
            Code::Unavailable => return Err(anyhow!("the server cannot be reached: {}", status.message())),
            code => return Err(anyhow!("the server answers {code:?}: {}", status.message())),
        }
    }
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        Self { reason: reason_of(&status), code: status.code(), message: status.message().to_owned() }
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        let reason = refused.reason.map_or_else(|| format!("{:?}", refused.code), |reason| reason.as_str_name().into());
        Self::Refused { reason, message: refused.message }
    }
}
