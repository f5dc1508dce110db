//! A request as HTTP: the route's template filled in, what is left as body or query.

use holdfast_contracts::HttpRoute;
use serde_json::Value;

/// A filled-in route.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Filled {
    /// Path and query, percent-encoded.
    pub(crate) target: String,
    /// Empty where the route takes none.
    pub(crate) body: String,
}

/// Fills a route with a request in Protobuf's JSON form. The error names the template's field that is missing.
pub(crate) fn fill(route: &HttpRoute, mut request: Value) -> Result<Filled, String> {
    let mut target = String::new();
    let mut rest = route.template.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (field, after) = after.split_once('}').ok_or("a template with an open brace")?;
        target.push_str(before);
        let value = take(&mut request, field).ok_or_else(|| format!("the request lacks {field}"))?;
        percent_encode(&scalar(&value), &mut target);
        rest = after;
    }
    target.push_str(rest);
    let body = match route.body.as_str() {
        "" => {
            push_query(&request, &mut target);
            String::new()
        }
        "*" => request.to_string(),
        field => take(&mut request, field).unwrap_or(Value::Null).to_string(),
    };
    Ok(Filled { target, body })
}

/// Takes `product.id` out of a JSON object.
fn take(request: &mut Value, field: &str) -> Option<Value> {
    let mut at = request;
    let mut names = field.split('.').peekable();
    while let Some(name) = names.next() {
        let object = at.as_object_mut()?;
        if names.peek().is_none() {
            return object.remove(&camel(name));
        }
        at = object.get_mut(&camel(name))?;
    }
    None
}

/// `location_id` as Protobuf's JSON form names it.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

fn push_query(request: &Value, target: &mut String) {
    let mut separator = '?';
    for (name, value) in request.as_object().into_iter().flatten() {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            target.push(separator);
            target.push_str(name);
            target.push('=');
            percent_encode(&scalar(value), target);
            separator = '&';
        }
    }
}

fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// RFC 3986: all but the unreserved characters.
fn percent_encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use holdfast_contracts::Verb;
    use serde_json::json;

    use super::*;

    fn check(template: &str, body: &str, request: Value, target: &str, expect: &str) {
        let route = HttpRoute { verb: Verb::Post, template: template.into(), body: body.into() };
        let filled = fill(&route, request).expect("a complete request");
        assert_eq!((filled.target.as_str(), filled.body.as_str()), (target, expect));
    }

    #[test]
    fn what_the_path_takes_the_body_does_not_repeat() {
        check(
            "/v1/stock/{sku}:adjust",
            "*",
            json!({"sku": "A/B 靴", "delta": "5"}),
            "/v1/stock/A%2FB%20%E9%9D%B4:adjust",
            r#"{"delta":"5"}"#,
        );
        check(
            "/v1/products/{product.id}",
            "product",
            json!({"product": {"id": "p", "title": "P"}}),
            "/v1/products/p",
            r#"{"title":"P"}"#,
        );
    }

    #[test]
    fn a_request_without_a_body_is_told_in_the_query() {
        let request = json!({"sku": ["A", "B&C"], "pageSize": 5});
        check("/v1/stock:watch", "", request, "/v1/stock:watch?pageSize=5&sku=A&sku=B%26C", "");
        check("/v1/things/{thing_id}", "", json!({"thingId": "1"}), "/v1/things/1", "");
    }

    #[test]
    fn a_path_with_a_hole_is_not_asked_for() {
        let route = HttpRoute { verb: Verb::Get, template: "/v1/stock/{sku}".into(), body: String::new() };
        assert_eq!(fill(&route, json!({})), Err("the request lacks sku".to_owned()));
    }
}
