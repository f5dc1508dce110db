//! Moves a reservation on: begin payment, confirm, release, extend, restock.

use holdfast_contracts::RequestId;
use holdfast_platform::deadline::Deadline;
use holdfast_platform::pg;

use super::Inventory;
use super::failure::Failure;
use crate::domain::command::{Command, Move, Outcome, Step};
use crate::domain::reservation::{Reservation, State};
use crate::lane::LaneError;
use crate::store::reservation::load_reservations;

impl Inventory {
    pub(crate) async fn advance(&self, id: RequestId, step: Step, deadline: Deadline) -> Result<Reservation, Failure> {
        let reservation = match self.lanes.cache().reservation(id) {
            Some(known) => known,
            None => self.load_reservation(id).await?,
        };
        let command = Command::Move(Move { step, reservation });
        match self.lanes.submit(command, deadline).await?.outcome {
            Outcome::Moved(reservation) | Outcome::Reserved(reservation) => Ok(reservation),
            Outcome::Refused(refused) => Err(refused.into()),
            Outcome::Adjusted(_) => Err(LaneError::Internal.into()),
        }
    }

    /// The reservation as it stands; one whose time has run out is ended first.
    pub(crate) async fn get_reservation(&self, id: RequestId, deadline: Deadline) -> Result<Reservation, Failure> {
        let reservation = self.load_reservation(id).await?;
        if reservation.state != State::Held {
            return Ok(reservation);
        }
        let command = Command::Move(Move { step: Step::Expire, reservation: reservation.clone() });
        let looks_due = reservation.expires_at.0 <= super::read::system_now_us();
        if !looks_due {
            return Ok(reservation);
        }
        // Only the database's clock decides: where it says not yet, the reservation stands as loaded.
        match self.lanes.submit(command, deadline).await?.outcome {
            Outcome::Moved(expired) => Ok(expired),
            Outcome::Refused(_) | Outcome::Reserved(_) | Outcome::Adjusted(_) => self.load_reservation(id).await,
        }
    }

    async fn load_reservation(&self, id: RequestId) -> Result<Reservation, Failure> {
        let connection = self.pool.get().await.map_err(pg::Error::from)?;
        let found = load_reservations(&*connection, &[id.uuid()]).await?.remove(&id);
        found.ok_or(Failure::ReservationNotFound(id))
    }
}
