//! Reserve: hold units for a shopper, all lines or none.

use std::time::Duration;

use holdfast_contracts::{CustomerId, LocationId, RequestId, Sku};
use holdfast_platform::deadline::Deadline;

use super::Inventory;
use super::directory::REFUSAL_AGE_MAX;
use super::failure::Failure;
use super::fingerprint::Fingerprint;
use crate::domain::command::{Command, Outcome, Refused, Reserve, ReserveLine};
use crate::domain::level::{LevelRef, Version};
use crate::domain::reservation::Reservation;
use crate::domain::time::Ttl;
use crate::metrics::{Metrics, ReserveOutcome};
use crate::store::level::location_exists;

/// How often a refusal is tried again after holds that had run out were reclaimed.
const RECLAIMS_MAX: usize = 3;

/// What a shopper asks for.
#[derive(Debug, Clone)]
pub(crate) struct ReserveRequest {
    pub id: RequestId,
    pub customer: CustomerId,
    pub lines: Vec<WantedLine>,
    pub ttl: Ttl,
}

/// One line of it.
#[derive(Debug, Clone)]
pub(crate) struct WantedLine {
    pub sku: Sku,
    pub quantity: i32,
    pub location: Option<LocationId>,
    pub expected_version: Option<Version>,
}

impl Inventory {
    /// Holds the lines. A shopper is turned away only on what the database says, after every hold that has run out
    /// was given back.
    pub(crate) async fn reserve(&self, request: ReserveRequest, deadline: Deadline) -> Result<Reservation, Failure> {
        let reserved = self.try_reserve(request, deadline).await;
        if let Err(failure) = &reserved {
            Metrics::get().reservations.of((ReserveOutcome::of(failure),)).add(1);
        }
        reserved
    }

    async fn try_reserve(&self, request: ReserveRequest, deadline: Deadline) -> Result<Reservation, Failure> {
        let mut command = self.prepare(&request, None).await?;
        let mut looked_again = false;
        for _ in 0..RECLAIMS_MAX {
            let answer = self.lanes.submit(Command::Reserve(command.clone()), deadline).await?;
            let refused = match answer.outcome {
                Outcome::Refused(refused @ Refused::InsufficientStock { .. }) => refused,
                outcome => return reserved(outcome),
            };
            if answer.due {
                self.reclaim_due(deadline).await?;
            } else if looked_again {
                return Err(refused.into());
            } else {
                // Perhaps a location was added since the directory was read.
                looked_again = true;
                let fresh = self.prepare(&request, Some(REFUSAL_AGE_MAX)).await?;
                if same_levels(&fresh, &command) {
                    return Err(refused.into());
                }
                command = fresh;
            }
        }
        let answer = self.lanes.submit(Command::Reserve(command), deadline).await?;
        reserved(answer.outcome)
    }

    async fn prepare(&self, request: &ReserveRequest, age_max: Option<Duration>) -> Result<Reserve, Failure> {
        let mut lines = Vec::with_capacity(request.lines.len());
        for wanted in &request.lines {
            let candidates = self.candidates(wanted, age_max).await?;
            lines.push(ReserveLine {
                sku: wanted.sku.clone(),
                quantity: wanted.quantity,
                candidates,
                located: wanted.location.is_some(),
                expected_version: wanted.expected_version,
            });
        }
        Ok(Reserve {
            id: request.id,
            customer: request.customer.clone(),
            lines,
            ttl: request.ttl,
            fingerprint: request.fingerprint(),
        })
    }

    async fn candidates(&self, wanted: &WantedLine, age_max: Option<Duration>) -> Result<Vec<LevelRef>, Failure> {
        let found = self.directory.find(&self.pool, &wanted.sku, age_max).await?;
        let entry = found.ok_or_else(|| Failure::SkuNotFound(wanted.sku.clone()))?;
        let Some(location) = &wanted.location else { return Ok(entry.levels.to_vec()) };
        if let Some(level) = entry.levels.iter().find(|level| level.location == *location) {
            return Ok(vec![level.clone()]);
        }
        if !location_exists(&*self.pool.get().await.map_err(holdfast_platform::pg::Error::from)?, location).await? {
            return Err(Failure::LocationNotFound(location.clone()));
        }
        // The SKU has never been there: another replica may have put it there since.
        let found = self.directory.find(&self.pool, &wanted.sku, Some(Duration::ZERO)).await?;
        let entry = found.ok_or_else(|| Failure::SkuNotFound(wanted.sku.clone()))?;
        Ok(entry.levels.iter().filter(|level| level.location == *location).cloned().collect())
    }
}

impl ReserveRequest {
    fn fingerprint(&self) -> i64 {
        let mut print = Fingerprint::default().text(self.customer.as_str()).number(self.ttl.ms());
        for line in &self.lines {
            print = print
                .text(line.sku.as_str())
                .number(i64::from(line.quantity))
                .text(line.location.as_ref().map_or("", LocationId::as_str))
                .optional(line.expected_version.map(|version| version.0));
        }
        print.finish()
    }
}

fn same_levels(a: &Reserve, b: &Reserve) -> bool {
    a.lines.iter().zip(&b.lines).all(|(a, b)| a.candidates == b.candidates)
}

fn reserved(outcome: Outcome) -> Result<Reservation, Failure> {
    match outcome {
        Outcome::Reserved(reservation) | Outcome::Moved(reservation) => Ok(reservation),
        Outcome::Refused(refused) => Err(refused.into()),
        Outcome::Adjusted(_) => Err(crate::lane::LaneError::Internal.into()),
    }
}
