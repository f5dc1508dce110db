//! The laws of a decision, against a naive model that takes one command at a time and keeps no versions.

use std::collections::BTreeMap;

use holdfast_contracts::CustomerId;
use proptest::prelude::*;
use uuid::Uuid;

use super::super::command::{AdjustReason, AdjustedQuantity};
use super::super::level::{Quantities, Version};
use super::super::time::Ttl;
use super::*;

const NOW: Micros = Micros(1_000_000_000);

fn level_ref(number: u8) -> LevelRef {
    let (sku, location) = (number / 2, number % 2);
    LevelRef {
        id: LevelId(i64::from(number)),
        sku: format!("SKU-{sku}").parse().expect("a SKU"),
        location: ["main", "east"][usize::from(location)].parse().expect("a location"),
    }
}

fn id(number: u8) -> RequestId {
    RequestId::from_uuid(Uuid::from_u128(u128::from(number) + 1))
}

fn customer() -> CustomerId {
    "c".parse().expect("a customer")
}

fn level(on_hand: i64) -> Level {
    Level { quantities: Quantities { on_hand, ..Quantities::default() }, version: Version(7) }
}

/// Lines as (SKU number, location or any, quantity).
fn reserve(number: u8, lines: &[(u8, Option<u8>, i32)]) -> Command {
    let lines = lines
        .iter()
        .map(|&(sku, location, quantity)| ReserveLine {
            sku: level_ref(sku * 2).sku,
            quantity,
            candidates: match location {
                Some(location) => vec![level_ref(sku * 2 + location)],
                None => vec![level_ref(sku * 2), level_ref(sku * 2 + 1)],
            },
            located: location.is_some(),
            expected_version: None,
        })
        .collect();
    Command::Reserve(Reserve { id: id(number), customer: customer(), lines, ttl: Ttl::DEFAULT, fingerprint: 1 })
}

fn adjust(number: u8, level: u8, quantity: AdjustedQuantity, change: Change) -> Command {
    Command::Adjust(Adjust {
        id: id(number),
        level: level_ref(level),
        quantity,
        change,
        reason: AdjustReason::Counted,
        expected_version: None,
        fingerprint: 1,
    })
}

fn world(levels: &[(u8, i64)]) -> World {
    World {
        levels: levels.iter().map(|&(number, on_hand)| (LevelId(i64::from(number)), level(on_hand))).collect(),
        now: NOW,
        ..World::default()
    }
}

#[test]
fn a_batch_is_decided_in_order() {
    let commands = [reserve(1, &[(0, Some(0), 2)]), reserve(2, &[(0, Some(0), 2)]), reserve(3, &[(0, Some(0), 1)])];
    let decision = decide(world(&[(0, 3)]), &commands);
    assert!(matches!(decision.outcomes[0], Outcome::Reserved(_)));
    assert_eq!(
        decision.outcomes[1],
        Outcome::Refused(Refused::InsufficientStock {
            sku: level_ref(0).sku,
            location: Some(level_ref(0).location),
            requested: 2,
            available: 1,
            version: Version(8),
        })
    );
    assert!(matches!(decision.outcomes[2], Outcome::Reserved(_)));
    let write = decision.effects.levels[&LevelId(0)];
    assert_eq!((write.version_found, write.after.version, write.after.quantities.held), (Version(7), Version(9), 3));
}

#[test]
fn open_lines_share_the_first_location_that_has_them_all() {
    let lines = [(0, None, 1), (1, None, 1)];
    // SKU-0 is at both places, SKU-1 only in the east.
    let decision = decide(world(&[(0, 5), (1, 5), (3, 5)]), &[reserve(1, &lines)]);
    let Outcome::Reserved(reservation) = &decision.outcomes[0] else { panic!("{:?}", decision.outcomes) };
    assert!(reservation.lines.iter().all(|line| line.level.location.as_str() == "east"), "{reservation:?}");
    // Nowhere has both: each line on its own.
    let decision = decide(world(&[(0, 5), (3, 5)]), &[reserve(1, &lines)]);
    let Outcome::Reserved(reservation) = &decision.outcomes[0] else { panic!("{:?}", decision.outcomes) };
    let places: Vec<&str> = reservation.lines.iter().map(|line| line.level.location.as_str()).collect();
    assert_eq!(places, ["main", "east"]);
}

#[test]
fn lines_that_meet_at_one_level_are_added_up() {
    let decision = decide(world(&[(0, 3)]), &[reserve(1, &[(0, Some(0), 2), (0, None, 2)])]);
    assert!(matches!(decision.outcomes[0], Outcome::Refused(_)), "{:?}", decision.outcomes);
    assert!(decision.effects.movements.is_empty());
}

#[test]
fn an_open_line_goes_elsewhere_where_a_located_one_took_the_units() {
    for lines in [[(0, Some(0), 2), (0, None, 2)], [(0, None, 2), (0, Some(0), 2)]] {
        let decision = decide(world(&[(0, 3), (1, 5)]), &[reserve(1, &lines)]);
        let Outcome::Reserved(reservation) = &decision.outcomes[0] else { panic!("{:?}", decision.outcomes) };
        let mut places: Vec<&str> = reservation.lines.iter().map(|line| line.level.location.as_str()).collect();
        places.sort_unstable();
        assert_eq!(places, ["east", "main"]);
    }
}

#[test]
fn a_reservation_that_ran_out_is_left_to_the_database_to_refuse() {
    let reservation = Reservation {
        id: id(1),
        customer: customer(),
        state: State::Held,
        lines: vec![Line { level: level_ref(0), quantity: 1, version: Version(7) }],
        fingerprint: 1,
        created_at: Micros(0),
        expires_at: NOW,
        restocked: false,
    };
    let moved = |step| [Command::Move(Move { step, reservation: reservation.clone() })];
    let decision = decide(world(&[(0, 3)]), &moved(Step::Confirm));
    assert!(decision.effects.doubtful && matches!(decision.outcomes[0], Outcome::Refused(Refused::Expired { .. })));
    let mut held = world(&[(0, 3)]);
    held.levels.entry(LevelId(0)).or_default().quantities.held = 1;
    let decision = decide(held, &moved(Step::Expire));
    assert_eq!(decision.effects.transitions[0].clock, ClockRule::Due);
    assert_eq!(decision.effects.levels[&LevelId(0)].after.quantities.held, 0);
}

/// Four levels (two SKUs at two places), quantities by hand.
#[derive(Debug, Clone, Default)]
struct Naive {
    levels: BTreeMap<u8, (i64, i64, i64)>, // on hand, held, committed
    reservations: BTreeMap<u8, (State, Vec<(u8, i64)>)>,
}

#[derive(Debug, Clone)]
enum Op {
    Reserve { number: u8, lines: Vec<(u8, Option<u8>, i32)> },
    Step { number: u8, step: Step },
    Receive { level: u8, delta: i64 },
}

fn op() -> impl Strategy<Value = Op> {
    let line = (0_u8..2, prop::option::of(0_u8..2), 1_i32..4);
    let step = prop_oneof![
        Just(Step::BeginPayment),
        Just(Step::Confirm),
        Just(Step::Release),
        Just(Step::Restock),
        Just(Step::Extend(Ttl::DEFAULT)),
    ];
    prop_oneof![
        4 => (0_u8..30, prop::collection::vec(line, 1..3)).prop_map(|(number, mut lines)| {
            lines.sort();
            lines.dedup_by_key(|line| line.0);
            Op::Reserve { number, lines }
        }),
        4 => (0_u8..30, step).prop_map(|(number, step)| Op::Step { number, step }),
        1 => (0_u8..4, -3_i64..6).prop_filter("not 0", |(_, delta)| *delta != 0)
            .prop_map(|(level, delta)| Op::Receive { level, delta }),
    ]
}

impl Naive {
    fn free(&self, level: u8) -> i64 {
        let (on_hand, held, committed) = self.levels.get(&level).copied().unwrap_or_default();
        on_hand - held - committed
    }

    /// Whether the operation has an effect.
    fn apply(&mut self, op: &Op) -> bool {
        match op {
            Op::Reserve { number, lines } => {
                if self.reservations.contains_key(number) {
                    return false;
                }
                let Some(picks) = self.pick(lines) else { return false };
                for &(level, quantity) in &picks {
                    self.levels.entry(level).or_default().1 += quantity;
                }
                self.reservations.insert(*number, (State::Held, picks));
                true
            }
            Op::Step { number, step } => self.step(*number, *step),
            Op::Receive { level, delta } => {
                let entry = self.levels.entry(*level).or_default();
                let fits = entry.0 + delta >= 0 && entry.1 + entry.2 <= entry.0 + delta;
                if fits {
                    entry.0 += delta;
                }
                fits
            }
        }
    }

    fn pick(&self, lines: &[(u8, Option<u8>, i32)]) -> Option<Vec<(u8, i64)>> {
        let open = || lines.iter().filter(|line| line.1.is_none());
        let shared = (0..2_u8).find(|place| {
            open().count() > 0 && open().all(|&(sku, _, quantity)| self.free(sku * 2 + place) >= i64::from(quantity))
        });
        lines
            .iter()
            .map(|&(sku, location, quantity)| {
                let places = location.or(shared).map_or(vec![0, 1], |place| vec![place]);
                let level = places.into_iter().map(|place| sku * 2 + place);
                let quantity = i64::from(quantity);
                level.into_iter().find(|level| self.free(*level) >= quantity).map(|level| (level, quantity))
            })
            .collect()
    }

    fn step(&mut self, number: u8, step: Step) -> bool {
        let Some((state, lines)) = self.reservations.get_mut(&number) else { return false };
        let (to, held, committed) = match (step, *state) {
            (Step::BeginPayment, State::Held) => (State::Paying, 0, 0),
            (Step::Confirm, State::Held | State::Paying) => (State::Confirmed, -1, 1),
            (Step::Release, State::Held | State::Paying) => (State::Released, -1, 0),
            (Step::Extend(_), State::Held) => (State::Held, 0, 0),
            // Restocked is told from Confirmed by having no lines left.
            (Step::Restock, State::Confirmed) if !lines.is_empty() => (State::Confirmed, 0, -1),
            _ => return false,
        };
        *state = to;
        for &(level, quantity) in lines.iter() {
            let entry = self.levels.entry(level).or_default();
            entry.1 += held * quantity;
            entry.2 += committed * quantity;
        }
        if step == Step::Restock {
            lines.clear();
        }
        true
    }
}

fn command(op: &Op, number: u8, known: &HashMap<RequestId, Reservation>) -> Option<Command> {
    match op {
        Op::Reserve { number, lines } => Some(reserve(*number, lines)),
        Op::Step { number, step } => {
            let reservation = known.get(&id(*number))?.clone();
            Some(Command::Move(Move { step: *step, reservation }))
        }
        Op::Receive { level, delta } => {
            Some(adjust(100 + number, *level, AdjustedQuantity::OnHand, Change::By(*delta)))
        }
    }
}

proptest! {
    /// Whatever is asked, in whatever batches: the same effects as one at a time, never an oversell, a ledger that
    /// adds up to the level, and versions without a gap.
    #[test]
    fn batches_do_what_one_at_a_time_would(
        stock in prop::collection::vec(0_i64..8, 4),
        batches in prop::collection::vec(prop::collection::vec(op(), 1..6), 1..12),
    ) {
        let mut naive = Naive::default();
        let mut levels = HashMap::new();
        for (number, &on_hand) in (0_u8..).zip(&stock) {
            naive.levels.insert(number, (on_hand, 0, 0));
            levels.insert(LevelId(i64::from(number)), level(on_hand));
        }
        let mut known: HashMap<RequestId, Reservation> = HashMap::new();
        let mut adjustments = 0_u8;
        for batch in batches {
            let mut subjects = std::collections::HashSet::new();
            let mut commands = Vec::new();
            let mut effects_expected = 0;
            for op in batch {
                let Some(command) = command(&op, adjustments, &known) else { continue };
                adjustments += 1;
                if !subjects.insert(command.subject()) {
                    continue; // the schedule keeps subjects apart
                }
                effects_expected += usize::from(naive.apply(&op));
                commands.push(command);
            }
            let before = levels.clone();
            let world = World { levels: levels.clone(), reservations: known.clone(), now: NOW, ..World::default() };
            let decision = decide(world, &commands);
            let effects = &decision.effects;
            let made = effects.holds.len() + effects.transitions.len() + effects.adjustments.len();
            prop_assert_eq!(made, effects_expected, "{:?}", decision.outcomes);

            let mut replayed = before.clone();
            for movement in &effects.movements {
                let level = replayed.entry(movement.level).or_default();
                prop_assert_eq!(movement.version, level.version.next(), "a gap in the versions");
                movement.kind.apply(&mut level.quantities, movement.quantity);
                level.version = movement.version;
                prop_assert_eq!(*level, movement.after);
                prop_assert!(!level.quantities.is_oversold());
            }
            for (id, write) in &effects.levels {
                prop_assert_eq!(write.version_found, before[id].version);
                prop_assert_eq!(write.after, replayed[id], "the ledger does not add up");
                levels.insert(*id, write.after);
            }
            for outcome in decision.outcomes {
                if let Outcome::Reserved(reservation) | Outcome::Moved(reservation) = outcome {
                    known.insert(reservation.id, reservation);
                }
            }
            for (number, (on_hand, held, committed)) in &naive.levels {
                let quantities = levels[&LevelId(i64::from(*number))].quantities;
                prop_assert_eq!((quantities.on_hand, quantities.held, quantities.committed), (*on_hand, *held, *committed));
            }
        }
    }
}
