//! The heart: what a batch of commands does to the stock, decided in order, with no side effect.
//!
//! The caller gives a [`World`] (levels and reservations as it believes they are) and gets what to write and what to
//! answer. Belief is checked when the effects are written: every level the batch touched *or refused by* must still be
//! at the version found here, or nothing is written and the batch is decided again on what the database says.

use std::collections::HashMap;

use holdfast_contracts::{LocationId, RequestId};

use super::command::{Adjust, Adjustment, Change, Command, Move, Outcome, Refused, Reserve, ReserveLine, Step};
use super::effects::{ClockRule, Effects, Hold, LevelWrite, MovementKind, MovementWrite, Transition};
use super::level::{Level, LevelId, LevelRef, UNITS_MAX};
use super::reservation::{Line, Reservation, State};
use super::time::Micros;

/// What is believed, or known, when a batch is decided.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Every level the commands name; a level that is missing has no stock and version 0.
    pub levels: HashMap<LevelId, Level>,
    /// Reservations by id, as far as they are known: a Reserve whose id is not here is taken for new.
    pub reservations: HashMap<RequestId, Reservation>,
    /// Adjustments that were made before, likewise.
    pub adjustments: HashMap<RequestId, Adjustment>,
    pub now: Micros,
}

/// What a batch comes to.
#[derive(Debug, Clone, Default)]
pub struct Decision {
    pub effects: Effects,
    /// One for each command, in order.
    pub outcomes: Vec<Outcome>,
}

impl Decision {
    /// Puts the transaction's own time on what the batch made: it was decided on an estimate of it.
    pub fn stamp(&mut self, now: Micros) {
        for hold in &mut self.effects.holds {
            hold.reservation.expires_at = Micros(now.0 + hold.ttl_ms * 1000);
            hold.reservation.created_at = now;
        }
        let mut holds = self.effects.holds.iter().peekable();
        for outcome in &mut self.outcomes {
            match outcome {
                Outcome::Reserved(reservation) => {
                    // Holds stand in the order of the commands that made them; a repetition made none.
                    if let Some(hold) = holds.next_if(|hold| hold.reservation.id == reservation.id) {
                        reservation.created_at = hold.reservation.created_at;
                        reservation.expires_at = hold.reservation.expires_at;
                    }
                }
                Outcome::Adjusted(adjustment) => {
                    if self.effects.adjustments.iter().any(|made| made.id == adjustment.id) {
                        adjustment.created_at = now;
                    }
                }
                Outcome::Moved(_) | Outcome::Refused(_) => {}
            }
        }
    }
}

/// Decides commands in order, each seeing what the ones before it did. Subjects are distinct within a batch.
pub fn decide<'a>(world: World, commands: impl IntoIterator<Item = &'a Command>) -> Decision {
    let mut table = Table { world, effects: Effects::default() };
    let outcomes = commands
        .into_iter()
        .map(|command| {
            let decided = match command {
                Command::Reserve(reserve) => table.reserve(reserve),
                Command::Move(moved) => table.advance(moved),
                Command::Adjust(adjust) => table.adjust(adjust),
            };
            decided.unwrap_or_else(|refused| {
                table.note_refusal(command, &refused);
                Outcome::Refused(refused)
            })
        })
        .collect();
    Decision { effects: table.effects, outcomes }
}

/// The batch under way: the world so far, and what was decided.
struct Table {
    world: World,
    effects: Effects,
}

impl Table {
    fn note_refusal(&mut self, command: &Command, refused: &Refused) {
        match command {
            Command::Reserve(_) | Command::Adjust(_) if !matches!(refused, Refused::IdReused { .. }) => {
                self.effects.refused.push(command.subject());
            }
            Command::Reserve(_) | Command::Adjust(_) | Command::Move(_) => {}
        }
    }

    fn reserve(&mut self, reserve: &Reserve) -> Result<Outcome, Refused> {
        if let Some(known) = self.world.reservations.get(&reserve.id) {
            if known.fingerprint != reserve.fingerprint {
                return Err(Refused::IdReused { id: reserve.id });
            }
            return Ok(Outcome::Reserved(known.clone()));
        }
        let picks = self.pick_levels(&reserve.lines)?;
        let lines = reserve
            .lines
            .iter()
            .zip(picks)
            .map(|(line, level)| {
                let version =
                    self.apply(&level, MovementKind::Held, i64::from(line.quantity), Some(reserve.id), None).version;
                Line { level, quantity: line.quantity, version }
            })
            .collect();
        let reservation = Reservation {
            id: reserve.id,
            customer: reserve.customer.clone(),
            state: State::Held,
            lines,
            fingerprint: reserve.fingerprint,
            created_at: self.world.now,
            expires_at: reserve.ttl.end(self.world.now),
            restocked: false,
        };
        self.world.reservations.insert(reserve.id, reservation.clone());
        self.effects.holds.push(Hold { reservation: reservation.clone(), ttl_ms: reserve.ttl.ms() });
        Ok(Outcome::Reserved(reservation))
    }

    /// Where each line is held: at the first location that has all the lines whose location is open; where none has,
    /// each of them at its own first location that has all of it.
    fn pick_levels(&mut self, lines: &[ReserveLine]) -> Result<Vec<LevelRef>, Refused> {
        for (number, line) in lines.iter().enumerate() {
            self.check_expected_version(number, line)?;
        }
        // Lines that name their location have no choice: they come first. Lines of one SKU may meet at a level, so
        // what is picked already is spoken for.
        let mut picks: Vec<Option<LevelRef>> = vec![None; lines.len()];
        for (number, line) in lines.iter().enumerate().filter(|(_, line)| line.located) {
            picks[number] = Some(self.pick(line, None, lines, &picks)?);
        }
        let open = || lines.iter().filter(|line| !line.located);
        let shared = open().next().and_then(|first| {
            first.candidates.iter().find(|place| {
                open().all(|line| {
                    let here = line.candidates.iter().find(|level| level.location == place.location);
                    here.is_some_and(|level| self.free(level, lines, &picks) >= i64::from(line.quantity))
                })
            })
        });
        let shared = shared.map(|level| level.location.clone());
        for (number, line) in lines.iter().enumerate().filter(|(_, line)| !line.located) {
            picks[number] = Some(self.pick(line, shared.as_ref(), lines, &picks)?);
        }
        Ok(picks.into_iter().flatten().collect())
    }

    /// The first level that has all of a line, at one place where it must be there.
    fn pick(
        &mut self,
        line: &ReserveLine,
        place: Option<&LocationId>,
        lines: &[ReserveLine],
        picks: &[Option<LevelRef>],
    ) -> Result<LevelRef, Refused> {
        let fits = |level: &&LevelRef| {
            place.is_none_or(|place| level.location == *place)
                && self.free(level, lines, picks) >= i64::from(line.quantity)
        };
        match line.candidates.iter().find(fits) {
            Some(level) => Ok(level.clone()),
            None => Err(self.insufficient(line)),
        }
    }

    /// What a level has left for this reservation's further lines.
    fn free(&self, level: &LevelRef, lines: &[ReserveLine], picks: &[Option<LevelRef>]) -> i64 {
        let here = lines.iter().zip(picks).filter(|(_, pick)| pick.as_ref().is_some_and(|pick| pick.id == level.id));
        let spoken_for: i64 = here.map(|(line, _)| i64::from(line.quantity)).sum();
        self.level(level.id).quantities.available() - spoken_for
    }

    fn check_expected_version(&mut self, number: usize, line: &ReserveLine) -> Result<(), Refused> {
        let Some(expected) = line.expected_version else { return Ok(()) };
        let [level] = line.candidates.as_slice() else {
            return Err(Refused::VersionNeedsLocation { sku: line.sku.clone(), line: number });
        };
        let version = self.look(level).version;
        if version == expected {
            return Ok(());
        }
        Err(Refused::VersionMismatch { sku: line.sku.clone(), location: level.location.clone(), expected, version })
    }

    /// The refusal of a line none of whose levels has enough: tells of the level that has the most.
    fn insufficient(&mut self, line: &ReserveLine) -> Refused {
        for level in &line.candidates {
            self.look(level);
        }
        let best = line.candidates.iter().max_by_key(|level| self.level(level.id).quantities.available());
        let (location, level) = match best {
            Some(best) => (Some(best.location.clone()), self.level(best.id)),
            None => (None, Level::default()),
        };
        Refused::InsufficientStock {
            sku: line.sku.clone(),
            location,
            requested: line.quantity,
            available: level.quantities.available(),
            version: level.version,
        }
    }

    fn advance(&mut self, moved: &Move) -> Result<Outcome, Refused> {
        let id = moved.reservation.id;
        let reservation = self.world.reservations.get(&id).unwrap_or(&moved.reservation).clone();
        let live = reservation.state != State::Held || reservation.expires_at > self.world.now;
        match (moved.step, reservation.state) {
            // The shopper's own repetition, or somebody was quicker: the same answer.
            (Step::BeginPayment, State::Paying) => {
                self.effects.doubtful = true; // another replica may have ended it since
                Ok(Outcome::Moved(reservation))
            }
            (Step::Confirm, State::Confirmed)
            | (Step::Release, State::Released | State::Expired)
            | (Step::Expire, State::Expired) => Ok(Outcome::Moved(reservation)),
            (Step::Restock, State::Confirmed) if reservation.restocked => Ok(Outcome::Moved(reservation)),

            (Step::BeginPayment | Step::Confirm | Step::Extend(_), State::Held) if !live => {
                self.effects.doubtful = true;
                Err(Refused::Expired { id, expires_at: reservation.expires_at })
            }
            (Step::BeginPayment, State::Held) => Ok(self.shift(reservation, State::Paying, ClockRule::Live, None)),
            (Step::Confirm, State::Held) => {
                Ok(self.shift(reservation, State::Confirmed, ClockRule::Live, Some(MovementKind::Confirmed)))
            }
            (Step::Confirm, State::Paying) => {
                Ok(self.shift(reservation, State::Confirmed, ClockRule::Any, Some(MovementKind::Confirmed)))
            }
            (Step::Release, State::Held | State::Paying) => {
                Ok(self.shift(reservation, State::Released, ClockRule::Any, Some(MovementKind::Released)))
            }
            (Step::Expire, State::Held) if live => {
                self.effects.doubtful = true;
                Err(Refused::NotDue { id })
            }
            (Step::Expire, State::Held) => {
                Ok(self.shift(reservation, State::Expired, ClockRule::Due, Some(MovementKind::Expired)))
            }
            (Step::Extend(ttl), State::Held) => {
                // The stored end may be later than the one believed here: only the locked row can say.
                self.effects.doubtful = true;
                let mut extended = reservation;
                extended.expires_at = extended.expires_at.max(ttl.end(self.world.now));
                let outcome = self.shift(extended, State::Held, ClockRule::Live, None);
                if let Some(transition) = self.effects.transitions.last_mut() {
                    transition.ttl_ms = Some(ttl.ms());
                }
                Ok(outcome)
            }
            (Step::Restock, State::Confirmed) => {
                let mut restocked = reservation;
                restocked.restocked = true;
                Ok(self.shift(restocked, State::Confirmed, ClockRule::Any, Some(MovementKind::Restocked)))
            }
            (Step::BeginPayment | Step::Confirm | Step::Extend(_), State::Expired) => {
                Err(Refused::Expired { id, expires_at: reservation.expires_at })
            }
            (Step::BeginPayment | Step::Extend(_), State::Confirmed | State::Released)
            | (Step::Extend(_), State::Paying)
            | (Step::Confirm, State::Released)
            | (Step::Release, State::Confirmed)
            | (Step::Expire, State::Paying | State::Confirmed | State::Released)
            | (Step::Restock, State::Held | State::Paying | State::Released | State::Expired) => {
                // An open state may be stale; an ended one never reopens.
                self.effects.doubtful |= reservation.state.is_open();
                Err(Refused::WrongState { id, state: reservation.state, step: moved.step.name() })
            }
        }
    }

    /// Moves a reservation to a state, with one movement a line where units change hands.
    fn shift(
        &mut self,
        mut reservation: Reservation,
        to: State,
        clock: ClockRule,
        movement: Option<MovementKind>,
    ) -> Outcome {
        if let Some(kind) = movement {
            for line in &reservation.lines {
                self.apply(&line.level, kind, i64::from(line.quantity), Some(reservation.id), None);
            }
        }
        self.effects.transitions.push(Transition {
            id: reservation.id,
            lines: reservation.lines.len(),
            from: reservation.state,
            to,
            clock,
            ttl_ms: None,
            restocks: movement == Some(MovementKind::Restocked),
        });
        reservation.state = to;
        self.world.reservations.insert(reservation.id, reservation.clone());
        Outcome::Moved(reservation)
    }

    fn adjust(&mut self, adjust: &Adjust) -> Result<Outcome, Refused> {
        if let Some(known) = self.world.adjustments.get(&adjust.id) {
            if known.fingerprint != adjust.fingerprint {
                return Err(Refused::IdReused { id: adjust.id });
            }
            return Ok(Outcome::Adjusted(known.clone()));
        }
        let (sku, location) = (adjust.level.sku.clone(), adjust.level.location.clone());
        let before = self.look(&adjust.level);
        let version = before.version;
        if let Some(expected) = adjust.expected_version
            && expected != version
        {
            return Err(Refused::VersionMismatch { sku, location, expected, version });
        }
        let mut after = before.quantities;
        let adjusted = adjust.quantity.of(&mut after);
        let delta = match adjust.change {
            Change::By(delta) => delta,
            Change::To(value) => value - *adjusted,
        };
        *adjusted += delta;
        let value = *adjusted;
        if !(0..=UNITS_MAX).contains(&value) {
            return Err(Refused::OutOfBounds { sku, location, quantity: adjust.quantity.name(), value, version });
        }
        if after.is_oversold() {
            let remaining = after.on_hand - after.unavailable;
            return Err(Refused::BelowPromised { sku, location, promised: after.promised(), remaining, version });
        }
        let after = self.apply(&adjust.level, adjust.quantity.into(), delta, None, Some(adjust.reason));
        let adjustment = Adjustment {
            id: adjust.id,
            level_id: adjust.level.id,
            after,
            fingerprint: adjust.fingerprint,
            created_at: self.world.now,
        };
        self.world.adjustments.insert(adjust.id, adjustment.clone());
        self.effects.adjustments.push(adjustment.clone());
        Ok(Outcome::Adjusted(adjustment))
    }

    fn level(&self, id: LevelId) -> Level {
        self.world.levels.get(&id).copied().unwrap_or_default()
    }

    /// Reads a level that an answer will rest on: its version is checked at commit.
    fn look(&mut self, level: &LevelRef) -> Level {
        let found = self.level(level.id);
        self.effects.levels.entry(level.id).or_insert(LevelWrite { version_found: found.version, after: found });
        found
    }

    /// Applies one effect to a level and returns the level after it.
    fn apply(
        &mut self,
        level: &LevelRef,
        kind: MovementKind,
        quantity: i64,
        reservation: Option<RequestId>,
        reason: Option<super::command::AdjustReason>,
    ) -> Level {
        let mut after = self.look(level);
        kind.apply(&mut after.quantities, quantity);
        after.version = after.version.next();
        debug_assert!(!after.quantities.is_oversold(), "a decision oversold {level:?}");
        self.world.levels.insert(level.id, after);
        if let Some(write) = self.effects.levels.get_mut(&level.id) {
            write.after = after;
        }
        let version = after.version;
        self.effects.movements.push(MovementWrite {
            level: level.id,
            version,
            kind,
            quantity,
            reservation,
            reason,
            after,
        });
        after
    }
}

#[cfg(test)]
mod tests;
