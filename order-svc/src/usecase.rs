//! What can be done with orders: one file per verb, and the saga's executor.

mod cancel;
mod perform;
mod place;
mod read;
mod run;

use std::sync::Arc;

use holdfast_platform::pg::Pool;
use holdfast_platform::task::Tasks;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::Config;
use crate::client::inventory::{AskError, Inventory};
use crate::domain::failure::Failure;
use crate::domain::line::BasketError;
use crate::domain::order::{OrderId, OrderState};
use crate::domain::saga::Unexpected;
use crate::payment::{Provider, TokenError};
use crate::store::StoreError;

pub(crate) use run::Claimed;

/// Everything the verbs work with.
pub(crate) struct Orders {
    config: Config,
    pool: Pool,
    inventory: Inventory,
    providers: Vec<Arc<dyn Provider>>,
    tasks: Tasks,
    /// One permit per order that a client has under way.
    in_flight: Arc<Semaphore>,
}

/// Why a verb was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("too many orders are under way")]
    Overloaded,
    #[error("there is no payment provider {name:?}, only: {known}")]
    ProviderUnknown { name: String, known: String },
    #[error("payment.token {0}")]
    Token(#[from] TokenError),
    #[error("request id {0} was used for another order")]
    RequestIdReused(OrderId),
    #[error("reservation {0} is bought by another order")]
    ReservationTaken(Uuid),
    /// Also for reservations of others: who may not buy it may not learn that it exists.
    #[error("reservation {0} does not exist")]
    ReservationNotFound(Uuid),
    #[error("reservation {id} has {state}, only a held one can be bought")]
    ReservationNotHeld { id: Uuid, state: &'static str },
    #[error("reservation {0} has expired")]
    ReservationExpired(Uuid),
    #[error("{0}")]
    Basket(#[from] BasketError),
    #[error("{0}")]
    Ask(#[from] AskError),
    #[error("order {0} is being worked on: repeat the call with the same id")]
    Busy(OrderId),
    #[error("order {0} cannot go on for now and is finished later: repeat the call with the same id")]
    Stuck(OrderId),
    #[error("{}", .0.message)]
    Failed(Box<Failure>),
    #[error("order {0} does not exist")]
    NotFound(OrderId),
    #[error("order {id} is {state}: only a placed order can be cancelled")]
    NotCancellable { id: OrderId, state: OrderState },
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Unexpected(#[from] Box<Unexpected>),
}

impl Orders {
    pub(crate) fn new(
        config: Config,
        pool: Pool,
        inventory: Inventory,
        providers: Vec<Arc<dyn Provider>>,
        tasks: Tasks,
    ) -> Self {
        let in_flight = Arc::new(Semaphore::new(config.orders_in_flight_max));
        Self { config, pool, inventory, providers, tasks, in_flight }
    }

    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    fn provider(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.providers.iter().find(|provider| provider.name() == name)
    }
}
