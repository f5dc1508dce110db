//! The request to place an order, and what makes two of them the same.

use holdfast_contracts::CustomerId;
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use super::line::AskedLine;
use super::order::{OrderId, PaymentMethod};

/// A checked PlaceOrder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlaceOrder {
    pub(crate) id: OrderId,
    pub(crate) customer: CustomerId,
    pub(crate) lines: Vec<AskedLine>,
    pub(crate) method: PaymentMethod,
    pub(crate) reservation_id: Option<Uuid>,
}

impl PlaceOrder {
    /// Equal for equal payloads: a hash over every field in order, each text with its length before it.
    /// It is stored, so neither the order nor the hash may change.
    pub(crate) fn fingerprint(&self) -> i64 {
        let mut hash = Xxh3::new();
        text(&mut hash, self.customer.as_str());
        number(&mut hash, self.lines.len() as u64);
        for line in &self.lines {
            text(&mut hash, line.sku.as_str());
            number(&mut hash, u64::from(line.quantity));
            match line.unit_price {
                Some(price) => {
                    text(&mut hash, price.currency.as_str());
                    number(&mut hash, price.amount_minor.cast_unsigned());
                }
                None => text(&mut hash, ""),
            }
            text(&mut hash, line.location.as_ref().map_or("", |location| location.as_str()));
        }
        text(&mut hash, &self.method.provider);
        text(&mut hash, &self.method.token);
        hash.update(self.reservation_id.unwrap_or(Uuid::nil()).as_bytes());
        hash.digest().cast_signed()
    }
}

fn text(hash: &mut Xxh3, text: &str) {
    number(hash, text.len() as u64);
    hash.update(text.as_bytes());
}

fn number(hash: &mut Xxh3, number: u64) {
    hash.update(&number.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Money;

    fn ask() -> PlaceOrder {
        PlaceOrder {
            id: OrderId::from_uuid(Uuid::from_u128(1)),
            customer: "c1".parse().expect("a customer"),
            lines: vec![AskedLine { sku: "A".parse().expect("a SKU"), quantity: 1, unit_price: None, location: None }],
            method: PaymentMethod { provider: "sandbox".into(), token: "tok_ok".into() },
            reservation_id: None,
        }
    }

    #[test]
    fn every_field_but_the_id_counts() {
        let price = Money { currency: "EUR".parse().expect("a currency"), amount_minor: 0 };
        let same = PlaceOrder { id: OrderId::from_uuid(Uuid::from_u128(2)), ..ask() };
        assert_eq!(ask().fingerprint(), same.fingerprint());
        let changes: [fn(&mut PlaceOrder, Money); 8] = [
            |ask, _| ask.customer = "c2".parse().expect("a customer"),
            |ask, _| ask.lines[0].sku = "B".parse().expect("a SKU"),
            |ask, _| ask.lines[0].quantity = 2,
            |ask, price| ask.lines[0].unit_price = Some(price),
            |ask, _| ask.lines[0].location = Some("main".parse().expect("a location")),
            |ask, _| ask.method.token.push('x'),
            |ask, _| ask.lines.push(ask.lines[0].clone()),
            |ask, _| ask.reservation_id = Some(Uuid::from_u128(9)),
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut other = ask();
            change(&mut other, price);
            assert_ne!(ask().fingerprint(), other.fingerprint(), "change {index}");
        }
    }

    #[test]
    fn the_fingerprint_is_the_one_already_stored() {
        assert_eq!(ask().fingerprint(), FINGERPRINT_STORED);
    }

    const FINGERPRINT_STORED: i64 = 5_606_953_775_020_647_792;
}
