//! What a service's status is told as. Refusals that carry a reason are passed on; whatever else comes is told by
//! its code alone, since its text was not written for callers, and logged here, where it stops.

use std::error::Error as _;

use holdfast_contracts::ReasonInfo;
use holdfast_contracts::common::v1::Reason;
use holdfast_platform::deadline::Deadline;
use holdfast_platform::status::ERROR_DOMAIN;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::{Place, Problem};
use crate::context::Context;
use crate::route::Route;

impl Problem {
    pub(crate) fn of_status(status: &Status, route: &Route, cx: &Context, deadline: Option<Deadline>) -> Self {
        let details = status.get_error_details();
        match details
            .error_info()
            .filter(|info| info.domain == ERROR_DOMAIN)
            .map(|info| ReasonInfo::named(&info.reason))
        {
            Some(Some(info)) => passed_on(info.reason, status.message(), &details, route),
            Some(None) | None => by_code(status, route, cx, deadline),
        }
    }

    pub(crate) fn late() -> Self {
        Self::new(
            Reason::DeadlineExceeded,
            "the request was not answered in its time; repeat it with the same request id to learn what came of it",
        )
    }
}

fn passed_on(reason: Reason, message: &str, details: &ErrorDetails, route: &Route) -> Problem {
    let mut problem = Problem::new(reason, message);
    if let Some(info) = details.error_info() {
        problem.metadata.extend(info.metadata.clone());
    }
    for violation in details.bad_request().iter().flat_map(|request| &request.field_violations) {
        problem = problem.at(Place::of_field(&violation.field, route, false), &violation.description);
    }
    problem.retry_after = details.retry_info().and_then(|info| info.retry_delay);
    problem
}

fn by_code(status: &Status, route: &Route, cx: &Context, deadline: Option<Deadline>) -> Problem {
    let (request_id, path, code, cause) = (cx.request_id(), route.grpc_path.as_str(), status.code(), status.message());
    // Only what never reached the service, or never came back, has a source.
    let wire_broke = status.source().is_some();
    let late = deadline.is_some_and(Deadline::has_passed) || cause == "Timeout expired";
    let unreachable = || {
        tracing::warn!(request.id = request_id, path, ?code, cause, "a service cannot be reached");
        Problem::new(
            Reason::Unavailable,
            "the service behind this route cannot be reached; repeat the request with the same request id",
        )
    };
    match code {
        Code::DeadlineExceeded => Problem::late(),
        Code::Cancelled if late => Problem::late(),
        Code::Cancelled | Code::Unavailable | Code::Unimplemented => unreachable(),
        Code::Unknown | Code::Internal if wire_broke => unreachable(),
        Code::ResourceExhausted => Problem::overloaded("the service behind this route is overloaded"),
        Code::InvalidArgument | Code::OutOfRange => {
            tracing::warn!(request.id = request_id, path, ?code, cause, "a call was refused without a reason");
            Problem::new(Reason::InvalidArgument, "the service behind this route refused the request as not valid")
        }
        // A refusal without its reason breaks the contract: that is our fault, not the caller's.
        Code::Ok
        | Code::Unknown
        | Code::Internal
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::DataLoss
        | Code::Unauthenticated => {
            tracing::error!(request.id = request_id, path, ?code, cause, "a call failed without a reason");
            Problem::internal()
        }
    }
}
