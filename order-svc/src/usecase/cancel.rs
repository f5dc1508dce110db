//! CancelOrder: the money goes back to the shopper, then the units go back to sale.

use std::sync::Arc;

use holdfast_platform::deadline::Deadline;
use tokio::time::Instant;

use super::run::Claimed;
use super::{Error, Orders};
use crate::domain::order::{Order, OrderId, OrderState};
use crate::domain::saga::{Event, Saga, Step, next};
use crate::store::Due;

impl Orders {
    /// Cancels a placed order. A repeat goes on where the first stood and answers the same.
    pub(crate) async fn cancel(self: &Arc<Self>, id: OrderId, deadline: Deadline) -> Result<Order, Error> {
        let begun = loop {
            let mut order = self.load(id).await?.ok_or(Error::NotFound(id))?;
            check_cancellable(&order)?;
            match order.saga.step {
                Step::Placed | Step::Capture => {}
                // Already on its way.
                Step::Reserve
                | Step::Authorize
                | Step::Lookup
                | Step::Confirm
                | Step::Void
                | Step::Refund
                | Step::Release
                | Step::Restock
                | Step::Watch
                | Step::Cancelled => break None,
            }
            let permit = self.permit()?;
            let leased = Instant::now();
            let saga = next(&order.saga, Event::CancelAsked).map_err(Box::new)?;
            // Also ends the lease of an executor that is capturing just now: its next write fails, and voiding
            // finds out whether it captured.
            if self.save(&mut order, saga, Due::In(self.config().lease), false).await? {
                break Some((Claimed::new(order, leased), permit));
            }
        };
        self.follow(id, begun, deadline, check_cancellable, is_over).await
    }
}

/// Placed, or cancelled by a call like this one.
fn check_cancellable(order: &Order) -> Result<(), Error> {
    let (id, state) = (order.id(), order.saga.state);
    match state {
        OrderState::Placed => Ok(()),
        OrderState::Cancelled if order.saga.is_cancelled_by_customer() => Ok(()),
        OrderState::Pending | OrderState::Cancelled => Err(Error::NotCancellable { id, state }),
    }
}

fn is_over(saga: &Saga) -> bool {
    match saga.state {
        OrderState::Cancelled => true,
        OrderState::Pending | OrderState::Placed => false,
    }
}
