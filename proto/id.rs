//! Strings that mean something, parsed once at the edge.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

/// Why a string is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error("must not be empty")]
    Empty,
    #[error("has {chars} characters: at most {chars_max} are accepted")]
    TooLong { chars: usize, chars_max: usize },
    #[error("has a character that is not accepted: {0:?}")]
    BadChar(char),
    #[error("must not begin or end with white space")]
    Untrimmed,
    #[error("must be a UUID, and not the nil one")]
    NotUuid,
}

/// Declares one string identifier: its length bound in characters and which characters it takes.
macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident, $chars_max:literal, $accepts:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The longest accepted, in characters.
            pub const CHARS_MAX: usize = $chars_max;

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                check_text(text, Self::CHARS_MAX, $accepts)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().to_owned()
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

/// Shows an identifier where values are logged.
macro_rules! shown {
    ($($name:ident),+) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        })+
    };
}

shown!(Sku, LocationId, BrandId, ProductId);

/// Whose it is stays out of logs, whatever it is part of.
impl fmt::Debug for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerId(..)")
    }
}

fn any_printable(c: char) -> bool {
    !c.is_control()
}

fn slug(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_'
}

string_id!(
    /// Stock keeping unit: what one variant is sold under. Any script, `/` and inner spaces included.
    Sku, 100, any_printable
);
string_id!(
    /// A place that keeps stock.
    LocationId, 64, slug
);
string_id!(
    /// A maker whose goods the shop sells.
    BrandId, 64, slug
);
string_id!(
    /// A product; often the shop's handle, so any script but no `/`.
    ProductId, 255, |c| any_printable(c) && c != '/'
);
string_id!(
    /// A shopper, as the shop's own systems name them.
    CustomerId, 128, any_printable
);

fn check_text(text: &str, chars_max: usize, accepts: fn(char) -> bool) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    let chars = text.chars().count();
    if chars > chars_max {
        return Err(IdError::TooLong { chars, chars_max });
    }
    if let Some(bad) = text.chars().find(|&c| !accepts(c)) {
        return Err(IdError::BadChar(bad));
    }
    if text.trim().len() != text.len() {
        return Err(IdError::Untrimmed);
    }
    Ok(())
}

/// An id made by the client: the identity of what the request makes, and its idempotency key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(Uuid);

impl RequestId {
    /// A new one for now; time-ordered (UUIDv7), which keeps database indexes append-mostly.
    pub fn now_v7() -> Self {
        Self(Uuid::now_v7())
    }

    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl FromStr for RequestId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match Uuid::try_parse(text) {
            Ok(uuid) if !uuid.is_nil() => Ok(Self(uuid)),
            Ok(_) | Err(_) => Err(if text.is_empty() { IdError::Empty } else { IdError::NotUuid }),
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skus_take_what_shops_really_use() {
        for good in ["HOODIE-M", "A/B 2", "靴-42", "ÄÖ", "a"] {
            assert_eq!(good.parse::<Sku>().expect(good).as_str(), good);
        }
    }

    #[test]
    fn identifiers_say_what_is_wrong() {
        assert_eq!("".parse::<Sku>(), Err(IdError::Empty));
        assert_eq!(" a".parse::<Sku>(), Err(IdError::Untrimmed));
        assert_eq!("a\nb".parse::<Sku>(), Err(IdError::BadChar('\n')));
        assert_eq!("ä".repeat(101).parse::<Sku>(), Err(IdError::TooLong { chars: 101, chars_max: 100 }));
        assert_eq!("Main".parse::<LocationId>(), Err(IdError::BadChar('M')));
        assert_eq!("a/b".parse::<ProductId>(), Err(IdError::BadChar('/')));
        assert_eq!("x".parse::<RequestId>(), Err(IdError::NotUuid));
        assert_eq!("00000000-0000-0000-0000-000000000000".parse::<RequestId>(), Err(IdError::NotUuid));
    }
}
