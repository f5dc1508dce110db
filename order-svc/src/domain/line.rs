//! What is bought: lines as asked for, priced, and placed at a location.

use std::collections::HashMap;

use holdfast_contracts::{LocationId, Sku};

use super::money::{Currency, Money};

/// How many lines one order may have.
pub(crate) const LINES_MAX: usize = 100;
/// The most units of one line.
pub(crate) const QUANTITY_MAX: u32 = 1_000_000;

/// A line as the shopper asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AskedLine {
    pub(crate) sku: Sku,
    pub(crate) quantity: u32,
    /// The price agreed with the shopper; the catalogue's where missing.
    pub(crate) unit_price: Option<Money>,
    pub(crate) location: Option<LocationId>,
}

/// A line of an order: its price is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) sku: Sku,
    pub(crate) quantity: u32,
    pub(crate) unit_price_minor: i64,
    /// Where its units are taken from, once they are held.
    pub(crate) location: Option<LocationId>,
}

/// A line of a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeldLine {
    pub(crate) sku: Sku,
    pub(crate) quantity: u32,
    pub(crate) location: LocationId,
}

/// Lines with their prices and what they come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Basket {
    pub(crate) lines: Vec<Line>,
    pub(crate) total: Money,
}

/// Why lines cannot be sold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BasketError {
    #[error("an order needs at least one line")]
    Empty,
    #[error("{sku} has no price in the catalogue and the request gives none")]
    PriceMissing { sku: Sku },
    #[error("{sku} costs {price}, not {seen}")]
    PriceChanged { sku: Sku, seen: Money, price: Money },
    #[error("all lines share one currency: {sku} is priced in {found}, an earlier line in {expected}")]
    Currencies { sku: Sku, found: Currency, expected: Currency },
    #[error("the total is larger than can be charged")]
    TotalTooLarge,
    #[error("line {index} ({sku}) is not one of the reservation's: they are bought whole, or none")]
    NotReserved { index: usize, sku: Sku },
    #[error("the reservation has {reserved} lines, the request {asked}: they are bought whole, or none")]
    LineCount { reserved: usize, asked: usize },
}

/// Settles the price of every line: the catalogue's, which a price the shopper saw must equal; that price alone where
/// the catalogue has none.
///
/// # Errors
/// Where a price is missing or has changed, currencies are mixed or the total overflows.
pub(crate) fn price_lines(asked: &[AskedLine], catalogue: &HashMap<Sku, Money>) -> Result<Basket, BasketError> {
    let mut currency: Option<Currency> = None;
    let mut total_minor: i64 = 0;
    let mut lines = Vec::with_capacity(asked.len());
    for line in asked {
        let price = match (catalogue.get(&line.sku).copied(), line.unit_price) {
            (Some(price), Some(seen)) if seen != price => {
                return Err(BasketError::PriceChanged { sku: line.sku.clone(), seen, price });
            }
            (Some(price), _) | (None, Some(price)) => price,
            (None, None) => return Err(BasketError::PriceMissing { sku: line.sku.clone() }),
        };
        let expected = *currency.get_or_insert(price.currency);
        if price.currency != expected {
            return Err(BasketError::Currencies { sku: line.sku.clone(), found: price.currency, expected });
        }
        total_minor = price
            .amount_minor
            .checked_mul(i64::from(line.quantity))
            .and_then(|line_minor| total_minor.checked_add(line_minor))
            .ok_or(BasketError::TotalTooLarge)?;
        lines.push(Line {
            sku: line.sku.clone(),
            quantity: line.quantity,
            unit_price_minor: price.amount_minor,
            location: line.location.clone(),
        });
    }
    let currency = currency.ok_or(BasketError::Empty)?;
    Ok(Basket { lines, total: Money { currency, amount_minor: total_minor } })
}

/// The lines of a reservation that is taken over; `asked` may name them again to agree on prices.
///
/// # Errors
/// Where `asked` names anything but the reservation's lines.
pub(crate) fn take_over_lines(held: Vec<HeldLine>, asked: &[AskedLine]) -> Result<Vec<AskedLine>, BasketError> {
    if !asked.is_empty() && asked.len() != held.len() {
        return Err(BasketError::LineCount { reserved: held.len(), asked: asked.len() });
    }
    let mut lines: Vec<AskedLine> = held
        .into_iter()
        .map(|line| AskedLine {
            sku: line.sku,
            quantity: line.quantity,
            unit_price: None,
            location: Some(line.location),
        })
        .collect();
    let mut taken = vec![false; lines.len()];
    for (index, ask) in asked.iter().enumerate() {
        let matching = lines.iter_mut().zip(&mut taken).find(|(line, taken)| {
            !**taken
                && line.sku == ask.sku
                && line.quantity == ask.quantity
                && (ask.location.is_none() || ask.location == line.location)
        });
        let Some((line, taken)) = matching else {
            return Err(BasketError::NotReserved { index, sku: ask.sku.clone() });
        };
        line.unit_price = ask.unit_price;
        *taken = true;
    }
    Ok(lines)
}

/// Writes into each line where its units are held. Lines that name their location are matched first.
pub(crate) fn place_lines(lines: &mut [Line], mut held: Vec<HeldLine>) {
    for named in [true, false] {
        for line in lines.iter_mut().filter(|line| line.location.is_some() == named) {
            let found = held.iter().position(|held| {
                held.sku == line.sku
                    && held.quantity == line.quantity
                    && line.location.as_ref().is_none_or(|location| *location == held.location)
            });
            if let Some(found) = found {
                line.location = Some(held.swap_remove(found).location);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sku(text: &str) -> Sku {
        text.parse().expect("a SKU")
    }

    fn at(text: &str) -> LocationId {
        text.parse().expect("a location")
    }

    fn eur(amount_minor: i64) -> Money {
        Money { currency: "EUR".parse().expect("a currency"), amount_minor }
    }

    fn usd(amount_minor: i64) -> Money {
        Money { currency: "USD".parse().expect("a currency"), amount_minor }
    }

    fn asked(name: &str, quantity: u32, unit_price: Option<Money>) -> AskedLine {
        AskedLine { sku: sku(name), quantity, unit_price, location: None }
    }

    #[test]
    fn nobody_names_a_price_but_the_shop() {
        let catalogue = HashMap::from([(sku("A"), eur(500)), (sku("B"), eur(30))]);
        let price = |lines: &[AskedLine]| price_lines(lines, &catalogue);
        let lines = [asked("A", 2, Some(eur(500))), asked("B", 3, None), asked("UNPRICED", 1, Some(eur(7)))];
        let basket = price(&lines).expect("priced");
        assert_eq!(basket.total, eur(1097));
        assert_eq!(basket.lines[1].unit_price_minor, 30);
        let changed = BasketError::PriceChanged { sku: sku("A"), seen: eur(1), price: eur(500) };
        assert_eq!(price(&[asked("A", 2, Some(eur(1)))]), Err(changed));
    }

    #[test]
    fn what_cannot_be_priced_is_refused() {
        let none = HashMap::new();
        let check = |lines: &[AskedLine], error: BasketError| assert_eq!(price_lines(lines, &none), Err(error));
        check(&[], BasketError::Empty);
        check(&[asked("A", 1, None)], BasketError::PriceMissing { sku: sku("A") });
        check(&[asked("A", 2, Some(eur(i64::MAX)))], BasketError::TotalTooLarge);
        check(
            &[asked("A", 1, Some(eur(1))), asked("B", 1, Some(usd(1)))],
            BasketError::Currencies { sku: sku("B"), found: usd(0).currency, expected: eur(0).currency },
        );
    }

    #[test]
    fn a_reservation_is_bought_whole_or_not_at_all() {
        let held = || {
            vec![
                HeldLine { sku: sku("A"), quantity: 1, location: at("main") },
                HeldLine { sku: sku("A"), quantity: 1, location: at("shop") },
            ]
        };
        assert_eq!(take_over_lines(held(), &[]).expect("its own lines").len(), 2);
        let priced = take_over_lines(held(), &[asked("A", 1, Some(eur(1))), asked("A", 1, Some(eur(2)))]);
        assert_eq!(priced.expect("the same lines, priced")[1].unit_price, Some(eur(2)));
        assert!(take_over_lines(held(), &[asked("A", 1, None)]).is_err());
        assert!(take_over_lines(held(), &[asked("A", 1, None), asked("A", 2, None)]).is_err());
    }

    #[test]
    fn every_line_learns_where_its_units_are() {
        let line = |location: Option<&str>| Line {
            sku: sku("A"),
            quantity: 1,
            unit_price_minor: 0,
            location: location.map(at),
        };
        let mut lines = [line(None), line(Some("main"))];
        let held = ["main", "shop"].map(|place| HeldLine { sku: sku("A"), quantity: 1, location: at(place) });
        place_lines(&mut lines, held.into());
        assert_eq!(lines[0].location, Some(at("shop")));
        assert_eq!(lines[1].location, Some(at("main")));
    }
}
