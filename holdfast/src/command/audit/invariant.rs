//! What is checked: each invariant with the statements that look for its breaches.

/// Whose tables a check reads. Reading two services' tables in one statement is the audit's privilege.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Books {
    Stock,
    StockAndOrders,
}

/// Something that must be so at any moment.
#[derive(Debug)]
pub(super) struct Invariant {
    /// In the project's design.
    pub(super) number: u8,
    pub(super) law: &'static str,
    pub(super) books: Books,
    /// Each finds breaches, and nothing where there are none.
    pub(super) statements: &'static [&'static str],
}

pub(super) const INVARIANTS: [Invariant; 5] = [
    Invariant {
        number: 1,
        law: "no oversell, now and at every version",
        books: Books::Stock,
        statements: &[include_str!("sql/oversold_now.sql"), include_str!("sql/oversold_ever.sql")],
    },
    Invariant {
        number: 2,
        law: "the ledger's sum is the level",
        books: Books::Stock,
        statements: &[include_str!("sql/ledger_sums.sql"), include_str!("sql/reserved_sums.sql")],
    },
    Invariant {
        number: 5,
        law: "versions are gapless",
        books: Books::Stock,
        statements: &[
            include_str!("sql/version_gaps.sql"),
            include_str!("sql/version_ends.sql"),
            include_str!("sql/held_versions.sql"),
        ],
    },
    Invariant {
        number: 7,
        law: "a reservation ends exactly once",
        books: Books::Stock,
        statements: &[include_str!("sql/reservation_ends.sql"), include_str!("sql/reservation_lines.sql")],
    },
    Invariant {
        number: 10,
        law: "payment captured <=> stock committed",
        books: Books::StockAndOrders,
        statements: &[
            include_str!("sql/paid_is_committed.sql"),
            include_str!("sql/committed_is_paid.sql"),
            include_str!("sql/charges.sql"),
        ],
    },
];
