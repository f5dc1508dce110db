//! Global Trade Item Numbers: what a barcode says.

use std::fmt;
use std::str::FromStr;

/// Why a string is not a GTIN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GtinError {
    #[error("has a character that is not a digit: {0:?}")]
    NotDigit(char),
    #[error("has {digits} digits: a GTIN has 8, 12, 13 or 14")]
    Length { digits: usize },
    #[error("ends in check digit {found}, which should be {expected}")]
    CheckDigit { found: u8, expected: u8 },
}

/// A GTIN-8, -12 (UPC-A), -13 (EAN) or -14 with a valid check digit, held as 14 digits: leading zeros do not
/// change what it names (GS1 General Specifications, 3.3.2 and 7.9).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gtin([u8; 14]);

impl FromStr for Gtin {
    type Err = GtinError;

    fn from_str(text: &str) -> Result<Self, GtinError> {
        if let Some(bad) = text.chars().find(|c| !c.is_ascii_digit()) {
            return Err(GtinError::NotDigit(bad));
        }
        if !matches!(text.len(), 8 | 12 | 13 | 14) {
            return Err(GtinError::Length { digits: text.len() });
        }
        let mut digits = [0; 14];
        for (digit, byte) in digits.iter_mut().rev().zip(text.bytes().rev()) {
            *digit = byte - b'0';
        }
        let (found, expected) = (digits[13], check_digit(&digits));
        if found != expected {
            return Err(GtinError::CheckDigit { found, expected });
        }
        Ok(Self(digits))
    }
}

/// What brings the weighted sum of all fourteen to a multiple of ten.
fn check_digit(digits: &[u8; 14]) -> u8 {
    let weighted = digits[..13].iter().zip([3, 1].into_iter().cycle());
    let sum: u16 = weighted.map(|(&digit, weight)| u16::from(digit) * weight).sum();
    ((10 - sum % 10) % 10) as u8
}

impl TryFrom<String> for Gtin {
    type Error = GtinError;

    fn try_from(text: String) -> Result<Self, GtinError> {
        text.parse()
    }
}

impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{digit}"))
    }
}

impl fmt::Debug for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &str, then: Result<&str, GtinError>) {
        assert_eq!(given.parse::<Gtin>().map(|gtin| gtin.to_string()), then.map(str::to_owned), "{given:?}");
    }

    #[test]
    fn every_length_is_written_as_fourteen_digits() {
        check("96385074", Ok("00000096385074"));
        check("036000291452", Ok("00036000291452"));
        check("4006381333931", Ok("04006381333931"));
        check("10614141000415", Ok("10614141000415"));
    }

    #[test]
    fn what_is_not_a_gtin_says_why() {
        check("4006381333932", Err(GtinError::CheckDigit { found: 2, expected: 1 }));
        check("123456789", Err(GtinError::Length { digits: 9 }));
        check("", Err(GtinError::Length { digits: 0 }));
        check("'4006381333931", Err(GtinError::NotDigit('\'')));
        check("٤006381333931", Err(GtinError::NotDigit('٤')));
    }

    #[test]
    fn one_wrong_digit_is_always_caught() {
        let good = "4006381333931";
        for place in 0..good.len() {
            for digit in "0123456789".chars().filter(|&digit| Some(digit) != good.chars().nth(place)) {
                let bad: String =
                    good.chars().enumerate().map(|(at, was)| if at == place { digit } else { was }).collect();
                assert!(bad.parse::<Gtin>().is_err(), "{bad}");
            }
        }
    }
}
