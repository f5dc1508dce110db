//! `If-Match` as the version a change was based on, `If-None-Match` as the version a reader already has.

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method};
use prost_reflect::DynamicMessage;

use super::text;
use crate::problem::{Place, Problem};
use crate::route::Route;
use holdfast_contracts::Verb;

/// Writes `If-Match: "17"` to the request's `expected_version`.
pub(super) fn bind_if_match(request: &mut DynamicMessage, route: &Route, headers: &HeaderMap) -> Result<(), Problem> {
    // A read changes nothing that could have been based on another version.
    if route.http.verb == Verb::Get {
        return Ok(());
    }
    let invalid = |problem: &str| Problem::invalid(Place::Header("If-Match"), problem);
    let mut values = headers.get_all(IF_MATCH).iter();
    let Some(value) = values.next() else { return Ok(()) };
    let Some(field) = &route.expected_version else {
        return Err(invalid("cannot be honoured: this route expects no version"));
    };
    if value == "*" {
        return Err(invalid("must name the version: * would match any"));
    }
    let tag = value.to_str().ok().filter(|_| values.next().is_none()).and_then(opaque);
    let tag = tag.ok_or_else(|| invalid("must be one entity tag such as \"17\""))?;
    let version = text::parse(&field.kind(), tag)
        .map_err(|_| invalid("must be an entity tag this service gave out, such as \"17\""))?;
    if request.has_field(field) && *request.get_field(field) != version {
        let place = Place::of_field(field.name(), route, true);
        return Err(Problem::invalid(place, format!("differs from If-Match, which says {tag}")));
    }
    request.set_field(field, version);
    Ok(())
}

/// Whether the reader already has this version; tags compare weakly, as RFC 9110 asks for reads.
pub(crate) fn already_has(method: &Method, headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let Some(current) = etag.to_str().ok().and_then(opaque) else { return false };
    let is_read = method == Method::GET || method == Method::HEAD;
    is_read
        && headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').map(str::trim).any(|tag| tag == "*" || opaque(tag) == Some(current)))
}

/// What stands between the quotes of one strong or weak entity tag.
fn opaque(tag: &str) -> Option<&str> {
    let tag = tag.trim();
    let quoted = tag.strip_prefix("W/").unwrap_or(tag);
    quoted.strip_prefix('"')?.strip_suffix('"').filter(|inner| !inner.contains('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_and_strong_tags_name_the_same_version() {
        assert_eq!(opaque("\"17\""), Some("17"));
        assert_eq!(opaque(" W/\"17\" "), Some("17"));
        for bad in ["17", "\"17", "\"", "\"1\", \"2\"", ""] {
            assert_eq!(opaque(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_reader_has_what_it_names() {
        let has = |text: &'static str| {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(text))]);
            already_has(&Method::GET, &headers, &HeaderValue::from_static("\"17\""))
        };
        assert!(has("\"17\"") && has("W/\"17\"") && has("\"3\", \"17\"") && has("*"));
        assert!(!has("\"18\"") && !has("17"));
    }
}
