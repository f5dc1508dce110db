//! Keyset pages: their size, and tokens that say after what the next one starts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::field::Invalid;

/// The most items a page has; asking for more gets this many (AIP-158).
const PAGE_SIZE_MAX: usize = 500;
const PAGE_SIZE_DEFAULT: usize = 50;

pub(super) fn parse_page_size(page_size: i32) -> Result<usize, Invalid> {
    match usize::try_from(page_size) {
        Ok(0) => Ok(PAGE_SIZE_DEFAULT),
        Ok(size) => Ok(size.min(PAGE_SIZE_MAX)),
        Err(_) => Err(Invalid::new("page_size", format!("must not be negative, and is {page_size}"))),
    }
}

/// How many rows to read for a page of this size: one more tells whether others follow.
pub(super) fn rows_max(page_size: usize) -> i64 {
    i64::try_from(page_size + 1).expect("PAGE_SIZE_MAX is small")
}

/// A token for the page after the item with this key.
pub(super) fn token_after(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

/// The key the page starts after; none for the first page.
pub(super) fn parse_token<T>(token: &str, parse: impl FnOnce(String) -> Option<T>) -> Result<Option<T>, Invalid> {
    if token.is_empty() {
        return Ok(None);
    }
    let key = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let key = key.and_then(parse).ok_or_else(|| Invalid::new("page_token", "is not one this method gave"))?;
    Ok(Some(key))
}

/// Cuts what was read to the page, and gives the token of the next one; empty on the last.
pub(super) fn cut<T>(items: &mut Vec<T>, page_size: usize, key: impl Fn(&T) -> String) -> String {
    if items.len() <= page_size {
        return String::new();
    }
    items.truncate(page_size);
    items.last().map(|last| token_after(&key(last))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(token: &str) -> Result<Option<i32>, Invalid> {
        parse_token(token, |key| key.parse().ok())
    }

    #[test]
    fn a_token_is_read_back_and_anything_else_refused() {
        assert_eq!(parse(&token_after("42")), Ok(Some(42)));
        assert_eq!(parse(""), Ok(None));
        for bad in ["42", "!", "AA", &token_after("x")] {
            assert_eq!(parse(bad), Err(Invalid::new("page_token", "is not one this method gave")), "{bad:?}");
        }
    }

    #[test]
    fn page_sizes_are_bounded() {
        assert_eq!(parse_page_size(0), Ok(PAGE_SIZE_DEFAULT));
        assert_eq!(parse_page_size(7), Ok(7));
        assert_eq!(parse_page_size(i32::MAX), Ok(PAGE_SIZE_MAX));
        assert!(parse_page_size(-1).is_err());
    }

    #[test]
    fn only_a_full_page_has_a_next() {
        let mut items = vec![1, 2, 3];
        assert_eq!(cut(&mut items, 3, i32::to_string), "");
        assert_eq!(cut(&mut items, 2, i32::to_string), token_after("2"));
        assert_eq!(items, [1, 2]);
    }
}
