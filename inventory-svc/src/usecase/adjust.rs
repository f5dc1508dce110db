//! AdjustStock: change one quantity of one level.

use std::time::Duration;

use holdfast_contracts::{LocationId, RequestId, Sku};
use holdfast_platform::deadline::Deadline;
use holdfast_platform::pg;

use super::Inventory;
use super::failure::Failure;
use super::fingerprint::Fingerprint;
use crate::domain::command::{Adjust, AdjustReason, AdjustedQuantity, Adjustment, Change, Command, Outcome};
use crate::domain::level::{LevelRef, Version};
use crate::lane::LaneError;
use crate::store::level::{ensure_level, location_exists};

/// What a person or a system asks for.
#[derive(Debug, Clone)]
pub(crate) struct AdjustRequest {
    pub id: RequestId,
    pub sku: Sku,
    pub location: LocationId,
    pub quantity: AdjustedQuantity,
    pub change: Change,
    pub reason: AdjustReason,
    pub expected_version: Option<Version>,
}

impl Inventory {
    /// Makes the change, and the level where there was none.
    pub(crate) async fn adjust(
        &self,
        request: AdjustRequest,
        deadline: Deadline,
    ) -> Result<(LevelRef, Adjustment), Failure> {
        let level = self.level_for(&request.sku, &request.location).await?;
        let command = Command::Adjust(Adjust {
            id: request.id,
            level: level.clone(),
            quantity: request.quantity,
            change: request.change,
            reason: request.reason,
            expected_version: request.expected_version,
            fingerprint: request.fingerprint(),
        });
        match self.lanes.submit(command, deadline).await?.outcome {
            Outcome::Adjusted(adjustment) => Ok((level, adjustment)),
            Outcome::Refused(refused) => Err(refused.into()),
            Outcome::Reserved(_) | Outcome::Moved(_) => Err(LaneError::Internal.into()),
        }
    }

    async fn level_for(&self, sku: &Sku, location: &LocationId) -> Result<LevelRef, Failure> {
        for age_max in [None, Some(Duration::ZERO)] {
            let found = self.directory.find(&self.pool, sku, age_max).await?;
            let entry = found.ok_or_else(|| Failure::SkuNotFound(sku.clone()))?;
            if let Some(level) = entry.levels.iter().find(|level| level.location == *location) {
                return Ok(level.clone());
            }
            if age_max.is_none() {
                let connection = self.pool.get().await.map_err(pg::Error::from)?;
                if !location_exists(&*connection, location).await? {
                    return Err(Failure::LocationNotFound(location.clone()));
                }
                ensure_level(&*connection, sku, location).await?;
            }
        }
        // Made above, so only a location deleted in between can bring us here.
        Err(Failure::LocationNotFound(location.clone()))
    }
}

impl AdjustRequest {
    fn fingerprint(&self) -> i64 {
        let (kind, units) = match self.change {
            Change::By(units) => (0, units),
            Change::To(units) => (1, units),
        };
        Fingerprint::default()
            .text(self.sku.as_str())
            .text(self.location.as_str())
            .text(self.quantity.name())
            .number(kind)
            .number(units)
            .number(self.reason as i64)
            .optional(self.expected_version.map(|version| version.0))
            .finish()
    }
}
