//! Stock cells to whole units.

use super::policy::{NegativeStock, Policy, SentinelStock};

/// The most units one level may be said to have.
pub const UNITS_MAX: i64 = 1_000_000_000;

/// What a stock cell comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stocked {
    Units(i64),
    /// Below zero, and taken as nothing.
    NegativeAsZero,
    /// A sentinel, and taken as this many.
    Sentinel(i64),
    /// The cell is empty: the level stays as it is.
    Blank,
    /// `not stocked`: there is no such level.
    Nowhere,
    /// The level stays as it is, as the caller decided.
    LeftAlone,
}

/// Why a stock cell is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitsError {
    #[error("is a label, not a count: at least that many is not how many")]
    Label,
    #[error("is not a whole number of units")]
    NotWhole,
    #[error("is more than {UNITS_MAX} units")]
    TooMany,
    #[error("is below zero")]
    Negative,
    #[error("may stand for \"plenty\": say what it means with --sentinel-stock {0}=take|zero|leave|reject")]
    Sentinel(i64),
}

pub(super) fn parse_stock(cell: &str, policy: &Policy) -> Result<Stocked, UnitsError> {
    if cell.is_empty() {
        return Ok(Stocked::Blank);
    }
    if cell.eq_ignore_ascii_case("not stocked") {
        return Ok(Stocked::Nowhere);
    }
    let units = parse_whole(cell)?;
    if let Some(sentinel) = policy.sentinel(units) {
        return match sentinel {
            SentinelStock::Take => Ok(Stocked::Sentinel(check_bound(units.max(0))?)),
            SentinelStock::Zero => Ok(Stocked::Sentinel(0)),
            SentinelStock::Leave => Ok(Stocked::LeftAlone),
            SentinelStock::Reject => Err(UnitsError::Sentinel(units)),
        };
    }
    if units < 0 {
        return match policy.negative {
            NegativeStock::Zero => Ok(Stocked::NegativeAsZero),
            NegativeStock::Reject => Err(UnitsError::Negative),
            NegativeStock::Leave => Ok(Stocked::LeftAlone),
        };
    }
    Ok(Stocked::Units(check_bound(units)?))
}

fn check_bound(units: i64) -> Result<i64, UnitsError> {
    if units > UNITS_MAX { Err(UnitsError::TooMany) } else { Ok(units) }
}

/// A whole number; `12.00` is one too, `1,200` may be one or one and a bit.
pub(super) fn parse_whole(cell: &str) -> Result<i64, UnitsError> {
    let number = cell.strip_prefix('\'').unwrap_or(cell);
    if number.ends_with('+') || number.starts_with(['>', '<', '~']) {
        return Err(UnitsError::Label);
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if !fraction.bytes().all(|digit| digit == b'0') {
        return Err(UnitsError::NotWhole);
    }
    let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(UnitsError::NotWhole);
    }
    whole.parse().map_err(|_| UnitsError::TooMany)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_cells_are_taken_by_policy() {
        let policy = Policy::default();
        for (cell, expected) in [
            ("0", Ok(Stocked::Units(0))),
            ("12.00", Ok(Stocked::Units(12))),
            ("'7", Ok(Stocked::Units(7))),
            ("", Ok(Stocked::Blank)),
            ("Not Stocked", Ok(Stocked::Nowhere)),
            ("-2", Ok(Stocked::NegativeAsZero)),
            ("500+", Err(UnitsError::Label)),
            (">10", Err(UnitsError::Label)),
            ("1,200", Err(UnitsError::NotWhole)),
            ("1.5", Err(UnitsError::NotWhole)),
            ("in stock", Err(UnitsError::NotWhole)),
            ("9999", Err(UnitsError::Sentinel(9999))),
            ("1000000001", Err(UnitsError::TooMany)),
            ("99999999999999999999", Err(UnitsError::TooMany)),
        ] {
            assert_eq!(parse_stock(cell, &policy), expected, "{cell:?}");
        }
    }

    #[test]
    fn the_caller_says_what_odd_stock_means() {
        let check = |rule: &str, cell: &str, expected| {
            let mut policy = Policy { negative: NegativeStock::Reject, ..Policy::default() };
            policy.set_sentinel(rule.parse().expect("a rule"));
            assert_eq!(parse_stock(cell, &policy), expected, "{rule} {cell}");
        };
        check("9999=take", "9999", Ok(Stocked::Sentinel(9999)));
        check("9999=zero", "9999", Ok(Stocked::Sentinel(0)));
        check("100=leave", "100", Ok(Stocked::LeftAlone));
        check("-1=leave", "-1", Ok(Stocked::LeftAlone));
        check("9999=take", "99999", Err(UnitsError::Sentinel(99999)));
        check("9999=take", "-1", Err(UnitsError::Negative));
    }
}
