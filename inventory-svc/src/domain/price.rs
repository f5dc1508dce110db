//! What one unit costs.

use std::fmt;

/// Why an amount is not a price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    #[error("must be a currency's three capital letters, not {0:?}")]
    Currency(String),
    #[error("must not be negative, and is {0}")]
    Negative(i64),
}

/// An ISO 4217 code by its shape; which codes are in use is the payment provider's matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Currency(String);

impl Currency {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Currency {
    type Error = PriceError;

    fn try_from(code: String) -> Result<Self, PriceError> {
        if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            Ok(Self(code))
        } else {
            Err(PriceError::Currency(code))
        }
    }
}

/// An amount in its currency's minor unit; zero is free of charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    currency: Currency,
    minor: i64,
}

impl Price {
    /// # Errors
    /// Where the amount is negative.
    pub fn new(currency: Currency, minor: i64) -> Result<Self, PriceError> {
        if minor < 0 { Err(PriceError::Negative(minor)) } else { Ok(Self { currency, minor }) }
    }

    pub fn currency(&self) -> &Currency {
        &self.currency
    }

    pub fn minor(&self) -> i64 {
        self.minor
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.minor, self.currency.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_three_capital_letters() {
        assert!(Currency::try_from("EUR".to_owned()).is_ok());
        for bad in ["", "eur", "EURO", "E1R", "ÄB"] {
            assert_eq!(Currency::try_from(bad.to_owned()), Err(PriceError::Currency(bad.to_owned())));
        }
    }

    #[test]
    fn a_price_is_never_negative() {
        let eur = Currency::try_from("EUR".to_owned()).unwrap();
        assert_eq!(Price::new(eur.clone(), -1), Err(PriceError::Negative(-1)));
        assert_eq!(Price::new(eur, 0).map(|price| price.minor()), Ok(0));
    }
}
