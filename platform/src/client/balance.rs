//! Sends a call to the endpoint that the pool picks.

use std::sync::Arc;

use tonic::Status;

use super::answer::{self, Failure};
use super::body::RequestBody;
use super::failure;
use super::flight::Landing;
use super::outgoing::Outgoing;
use super::pool::{Picked, Pool};
use super::step::{Sent, Step};

/// See the module.
#[derive(Debug)]
pub(super) struct Balance {
    pool: Arc<Pool>,
}

impl Balance {
    pub(super) fn over(pool: Arc<Pool>) -> Self {
        Self { pool }
    }
}

impl Step for Balance {
    type Body = Landing;

    async fn send(&self, call: &Outgoing) -> Sent<Landing> {
        let picked = self.pool.pick(call).await?;
        let request = call.request().ok_or_else(|| Failure {
            status: Status::internal("a request that can be sent once was sent twice"),
            was_never_processed: false,
        })?;
        let response = dispatch(picked, request, call).await?;
        if !call.is_repeatable() {
            return Ok(answer::unseen(response));
        }
        answer::seen(response).await.map_err(|status| Failure { status, was_never_processed: false })
    }
}

async fn dispatch(
    picked: Picked,
    mut request: http::Request<RequestBody>,
    call: &Outgoing,
) -> Result<http::Response<Landing>, Failure> {
    let Picked { mut flight, mut connection } = picked;
    flight.endpoint().direct(&mut request);
    match connection.try_send_request(request).await {
        Ok(response) => {
            let (head, body) = response.into_parts();
            flight.opened(&head);
            Ok(http::Response::from_parts(head, Landing::new(body, flight)))
        }
        Err(mut error) => {
            let unsent = error.take_message();
            let (failure, outcome) = failure::unanswered(error.into_error(), unsent.is_some());
            flight.record(outcome);
            if let Some(request) = unsent {
                call.give_back(request.into_body());
            }
            Err(failure)
        }
    }
}
