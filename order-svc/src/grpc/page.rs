//! Page tokens: where a list goes on and for which filter, opaque to callers.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holdfast_contracts::CustomerId;
use holdfast_platform::status::Refusal;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use crate::store::Cursor;

const SIZE_DEFAULT: usize = 50;
const SIZE_MAX: usize = 500;
/// Microseconds of the time, the id, the filter's hash.
const TOKEN_BYTES: usize = 8 + 16 + 8;

/// How many orders a page has; more than the most means the most.
pub(super) fn parse_size(size: i32) -> Result<usize, Refusal> {
    match usize::try_from(size) {
        Ok(0) => Ok(SIZE_DEFAULT),
        Ok(size) => Ok(size.min(SIZE_MAX)),
        Err(_) => Err(Refusal::invalid("page_size", "must not be negative")),
    }
}

/// Where the page begins.
pub(super) fn parse_token(token: &str, customer: Option<&CustomerId>) -> Result<Cursor, Refusal> {
    if token.is_empty() {
        return Ok(Cursor::top());
    }
    let not_ours = || Refusal::invalid("page_token", "is not one of this list's");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| not_ours())?;
    let bytes: [u8; TOKEN_BYTES] = bytes.try_into().map_err(|_| not_ours())?;
    let (time, rest) = bytes.split_first_chunk::<8>().ok_or_else(not_ours)?;
    let (id, filter) = rest.split_first_chunk::<16>().ok_or_else(not_ours)?;
    if filter != hash(customer) {
        return Err(not_ours());
    }
    let create_time = SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_micros(u64::from_be_bytes(*time)))
        .filter(|time| *time <= Cursor::top().create_time)
        .ok_or_else(not_ours)?;
    Ok(Cursor { create_time, id: Uuid::from_bytes(*id) })
}

pub(super) fn write_token(cursor: Cursor, customer: Option<&CustomerId>) -> String {
    let since = cursor.create_time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let micros = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
    let mut bytes = Vec::with_capacity(TOKEN_BYTES);
    bytes.extend_from_slice(&micros.to_be_bytes());
    bytes.extend_from_slice(cursor.id.as_bytes());
    bytes.extend_from_slice(&hash(customer));
    URL_SAFE_NO_PAD.encode(bytes)
}

fn hash(customer: Option<&CustomerId>) -> [u8; 8] {
    xxh3_64(customer.map_or("", |customer| customer.as_str()).as_bytes()).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_lead_back_to_where_they_were_made() {
        let cursor = Cursor {
            create_time: SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456),
            id: Uuid::from_u128(7),
        };
        let customer: CustomerId = "c1".parse().expect("a customer");
        let token = write_token(cursor, Some(&customer));
        assert_eq!(parse_token(&token, Some(&customer)), Ok(cursor));
        assert!(parse_token(&token, None).is_err(), "another filter's");
        for bad in ["x", "!!", "AAAA", &token[1..], &"_".repeat(43)] {
            assert!(parse_token(bad, Some(&customer)).is_err(), "{bad}");
        }
        assert_eq!(parse_token("", None), Ok(Cursor::top()));
    }

    #[test]
    fn sizes_are_bounded() {
        assert_eq!(parse_size(0), Ok(50));
        assert_eq!(parse_size(10_000), Ok(500));
        assert!(parse_size(-1).is_err());
    }
}
