//! The document a client generator reads.

use std::collections::HashSet;

use holdfast_contracts::MethodTable;
use http::Method;
use http_body_util::Full;
use serde_json::Value;

use crate::world::World;

/// `{customer_id}` as JSON names it.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

fn visit<'a>(value: &'a Value, each: &mut impl FnMut(&'a Value)) {
    each(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| visit(item, each)),
        Value::Object(members) => members.values().for_each(|member| visit(member, each)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn every_reference_resolves() {
    let document = World::start().await.get("/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut references = HashSet::new();
    visit(&document, &mut |value| {
        references.extend(value.get("$ref").and_then(Value::as_str));
    });
    assert!(references.len() > 30);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("within the document");
        assert!(document.pointer(pointer).is_some_and(Value::is_object), "{reference}");
    }
}

#[tokio::test]
async fn every_route_is_there_with_its_parameters_and_comments() {
    let document = World::start().await.get("/openapi.json").await.json();
    let mut operations = HashSet::new();
    for method in MethodTable::load().expect("contracts").methods() {
        for route in &method.routes {
            let path = camel_case(&route.template);
            let operation = &document["paths"][&path][route.verb.as_str().to_lowercase()];
            assert!(operation.is_object(), "{} {}", route.verb.as_str(), route.template);
            assert!(operations.insert(operation["operationId"].as_str().expect("named").to_owned()));
            assert!(operation["description"].as_str().is_some_and(|text| text.len() > 5), "{operation}");
            assert!(operation["responses"]["default"].is_object());
            for name in route.template.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
                let json_name = camel_case(name);
                let found = operation["parameters"].as_array().expect("a list").iter().any(|parameter| {
                    parameter["name"] == json_name.as_str()
                        && parameter["in"] == "path"
                        && parameter["required"] == true
                });
                assert!(found, "{path} lacks {json_name}");
            }
            assert_eq!(operation["requestBody"].is_object(), !route.body.is_empty(), "{}", route.template);
        }
    }
}

#[tokio::test]
async fn schemas_say_what_goes_over_the_wire() {
    let document = World::start().await.get("/openapi.json").await.json();
    let schemas = &document["components"]["schemas"];
    let level = &schemas["holdfast.inventory.v1.StockLevel"]["properties"];
    assert_eq!(level["version"]["type"], "string");
    assert_eq!(level["version"]["format"], "int64");
    assert_eq!(level["version"]["description"], "+1 per effect, gapless.");
    assert_eq!(level["updateTime"]["format"], "date-time");
    assert!(
        schemas["holdfast.inventory.v1.Reservation.State"]["enum"]
            .as_array()
            .is_some_and(|names| names.contains(&"HELD".into()))
    );
    assert_eq!(
        schemas["holdfast.inventory.v1.Variant"]["properties"]["options"]["additionalProperties"]["type"],
        "string"
    );
    let watch = &document["paths"]["/v1/stock:watch"]["get"];
    assert!(watch["responses"]["200"]["content"]["text/event-stream"].is_object());
    let sku = &watch["parameters"][0];
    assert_eq!((&sku["name"], &sku["in"], &sku["schema"]["type"]), (&"sku".into(), &"query".into(), &"array".into()));
    let adjust = &document["paths"]["/v1/stock/{sku}:adjust"]["post"];
    let body = &adjust["requestBody"]["content"]["application/json"]["schema"]["properties"];
    assert!(body["delta"].is_object() && body["sku"].is_null());
    assert!(schemas["Problem"]["properties"]["reason"]["enum"].as_array().is_some_and(|reasons| reasons.len() > 20));
}

#[tokio::test]
async fn the_document_is_cached_by_its_tag() {
    let world = World::start().await;
    let first = world.get("/openapi.json").await;
    let tag = first.header("etag").expect("tagged");
    let request = world.request(Method::GET, "/openapi.json").header("if-none-match", tag);
    assert_eq!(world.send(request.body(Full::default()).expect("a request")).await.status, 304);
}
