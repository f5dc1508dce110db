//! Price cells to minor units, in whole numbers all the way.

use std::fmt;
use std::str::FromStr;

/// The highest price, in minor units.
pub const PRICE_MINOR_MAX: i64 = 1_000_000_000_000;

/// A currency by its ISO 4217 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Currency([u8; 3]);

impl Currency {
    pub const USD: Self = Self(*b"USD");

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("three ASCII letters")
    }

    /// How many decimals its minor unit has (ISO 4217, list one).
    fn decimals(self) -> usize {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        match text.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(PriceError::Currency),
        }
    }
}

/// An amount in a currency's minor unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    pub currency: Currency,
    pub amount_minor: i64,
}

/// Why a cell is not a price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    #[error("is not a price")]
    NotPrice,
    #[error("may be thousands or decimals: write it with a point")]
    Ambiguous,
    #[error("has more decimals than {0} has")]
    TooPrecise(Currency),
    #[error("is more than {PRICE_MINOR_MAX} minor units")]
    TooHigh,
    #[error("must be three capital letters (ISO 4217)")]
    Currency,
}

pub(super) fn parse_price(cell: &str, currency: Currency) -> Result<Price, PriceError> {
    let cell = cell.trim_start_matches(['$', '€', '£', '¥', '\'']).trim();
    let (whole, fraction) = split_decimals(cell)?;
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(&whole) || !all_digits(fraction) {
        return Err(PriceError::NotPrice);
    }
    let decimals = currency.decimals();
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > decimals {
        return Err(PriceError::TooPrecise(currency));
    }
    let amount: i64 = format!("{whole}{fraction:0<decimals$}").parse().map_err(|_| PriceError::TooHigh)?;
    if amount > PRICE_MINOR_MAX {
        return Err(PriceError::TooHigh);
    }
    Ok(Price { currency, amount_minor: amount })
}

/// `1199.00`, `1,199.00` and `12,99` say what they mean; `1,199` does not.
fn split_decimals(cell: &str) -> Result<(String, &str), PriceError> {
    match (cell.split_once('.'), cell.rsplit_once(',')) {
        (Some((whole, fraction)), None) => Ok((whole.to_owned(), fraction)),
        (Some((whole, fraction)), Some(_)) => {
            let mut groups = whole.split(',');
            let first = groups.next().unwrap_or("");
            if fraction.contains(',') || first.is_empty() || first.len() > 3 || groups.any(|group| group.len() != 3) {
                return Err(PriceError::NotPrice);
            }
            Ok((whole.replace(',', ""), fraction))
        }
        (None, Some((_, fraction))) if fraction.len() == 3 => Err(PriceError::Ambiguous),
        (None, Some((whole, fraction))) => Ok((whole.to_owned(), fraction)),
        (None, None) => Ok((cell.to_owned(), "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cell: &str, currency: &str, expected: Result<i64, PriceError>) {
        let currency = currency.parse().expect("a currency");
        assert_eq!(parse_price(cell, currency).map(|price| price.amount_minor), expected, "{cell:?}");
    }

    #[test]
    fn prices_are_exact() {
        check("1199.00", "USD", Ok(119_900));
        check("0.07", "USD", Ok(7));
        check("50", "EUR", Ok(5_000));
        check("89.9", "EUR", Ok(8_990));
        check("12,99", "EUR", Ok(1_299));
        check("1,299.50", "USD", Ok(129_950));
        check("$ 5", "USD", Ok(500));
        check("1200.00", "JPY", Ok(1_200));
        check("1.234", "KWD", Ok(1_234));
    }

    #[test]
    fn what_is_no_price_is_refused() {
        let (usd, jpy) = (Currency::USD, Currency(*b"JPY"));
        check("19.99", "JPY", Err(PriceError::TooPrecise(jpy)));
        check("19.999", "USD", Err(PriceError::TooPrecise(usd)));
        check("1,299", "USD", Err(PriceError::Ambiguous));
        check("99999999999999999999", "USD", Err(PriceError::TooHigh));
        check("10000000001", "USD", Err(PriceError::TooHigh));
        for bad in ["-5", "free", "1.2.3", "", ".", "1e3", "１２", "1,2,3.00"] {
            check(bad, "USD", Err(PriceError::NotPrice));
        }
    }
}
