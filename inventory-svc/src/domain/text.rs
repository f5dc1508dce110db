//! Text for people, bounded in characters.

use std::fmt;

/// Why a string is not the text it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("must not be empty")]
    Empty,
    #[error("has {chars} characters: at most {chars_max} are accepted")]
    TooLong { chars: usize, chars_max: usize },
    #[error("has a NUL character, which cannot be stored")]
    Nul,
}

/// Text of `CHARS_MIN` (0 or 1) to `CHARS_MAX` characters, any but NUL: PostgreSQL's text cannot hold that one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const CHARS_MIN: usize, const CHARS_MAX: usize>(String);

/// What a brand or a location is called.
pub type DisplayName = Text<1, 255>;

impl<const CHARS_MIN: usize, const CHARS_MAX: usize> Text<CHARS_MIN, CHARS_MAX> {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const CHARS_MIN: usize, const CHARS_MAX: usize> TryFrom<String> for Text<CHARS_MIN, CHARS_MAX> {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        const { assert!(CHARS_MIN <= 1, "a longer minimum would need an error of its own") };
        if text.len() < CHARS_MIN {
            return Err(TextError::Empty);
        }
        let chars = text.chars().count();
        if chars > CHARS_MAX {
            return Err(TextError::TooLong { chars, chars_max: CHARS_MAX });
        }
        if text.contains('\0') {
            return Err(TextError::Nul);
        }
        Ok(Self(text))
    }
}

impl<const CHARS_MIN: usize, const CHARS_MAX: usize> From<Text<CHARS_MIN, CHARS_MAX>> for String {
    fn from(text: Text<CHARS_MIN, CHARS_MAX>) -> Self {
        text.0
    }
}

impl<const CHARS_MIN: usize, const CHARS_MAX: usize> fmt::Display for Text<CHARS_MIN, CHARS_MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Text<1, 3>, TextError> {
        text.to_owned().try_into()
    }

    #[test]
    fn bounds_count_characters_not_bytes() {
        assert_eq!(parse("靴靴靴").map(String::from), Ok("靴靴靴".to_owned()));
        assert_eq!(parse("abcd"), Err(TextError::TooLong { chars: 4, chars_max: 3 }));
        assert_eq!(parse(""), Err(TextError::Empty));
        assert_eq!(Text::<0, 3>::try_from(String::new()).map(String::from), Ok(String::new()));
    }

    #[test]
    fn nul_is_refused() {
        assert_eq!(parse("a\0"), Err(TextError::Nul));
    }
}
