//! The gateway is thin: a contract it has never seen is served as it stands, and one it cannot serve stops it.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use gateway::{Config, Deps, Service, StartError};
use holdfast_contracts::MethodTable;
use holdfast_platform::client::Wire;
use http_body_util::BodyExt as _;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, Value};
use serde_json::json;
use tonic::body::Body;
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;

use crate::fake::Fake;
use crate::world::World;

const POLICY: &str = "option (holdfast.options.v1.method) = {scope: \"toy.read\", tenant: TENANT_RULE_PUBLIC, \
     rate: RATE_CLASS_READ, cache: CACHE_POLICY_SHORT, idempotency: IDEMPOTENCY_NO_SIDE_EFFECTS, \
     timeout_default_ms: 2000, timeout_max_ms: 10000, criticality: CRITICALITY_DEFAULT, callers: \"gateway\"};";

/// Compiles a service of `holdfast.toy.v1` whose methods are `(name, route)`.
fn compile(methods: &[(&str, &str)]) -> MethodTable {
    let rpcs: String = methods
        .iter()
        .map(|(name, route)| {
            format!("rpc {name}(Toy) returns (Toy) {{ option (google.api.http) = {{{route}}}; {POLICY} }}\n")
        })
        .collect();
    let proto = format!(
        "syntax = \"proto3\";
         package holdfast.toy.v1;
         import \"google/api/annotations.proto\";
         import \"google/protobuf/wrappers.proto\";
         import \"holdfast/options/v1/options.proto\";
         // Plays.
         service ToyService {{ {rpcs} }}
         message Toy {{
           string name = 1;
           Part part = 2;
           map<string, sint64> sizes = 3;
           google.protobuf.Int64Value price = 4;
           bytes image = 5;
           repeated bool flags = 6;
           message Part {{ string id = 1; double weight = 2; Toy spare = 3; }}
         }}"
    );
    let folder = std::env::temp_dir().join(format!("holdfast-toy-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("toy.proto"), proto).expect("written");
    let contracts = concat!(env!("CARGO_MANIFEST_DIR"), "/../proto");
    let mut compiler = protox::Compiler::new([folder.as_path(), contracts.as_ref()]).expect("include folders");
    compiler.include_imports(true).include_source_info(true);
    compiler.open_file(folder.join("toy.proto")).expect("valid protobuf");
    std::fs::remove_dir_all(&folder).expect("removed");
    MethodTable::parse(&compiler.encode_file_descriptor_set()).expect("a method table")
}

/// A service that knows its contract no better than the gateway does: it answers what it was sent.
fn echo(pool: &DescriptorPool) -> Wire {
    let toy = pool.get_message_by_name("holdfast.toy.v1.Toy").expect("compiled");
    let answer = move |request: http::Request<Body>| {
        let toy = toy.clone();
        async move {
            let path = request.uri().path().to_owned();
            let frame = request.into_body().collect().await.expect("a body").to_bytes();
            let mut message = DynamicMessage::decode(toy, &frame[5..]).expect("the contract's message");
            if path.ends_with("/Wind") {
                message.set_field_by_name("flags", Value::List(vec![Value::Bool(true)]));
            }
            let bytes = message.encode_to_vec();
            let mut framed = BytesMut::from(&[0][..]);
            framed.put_u32(u32::try_from(bytes.len()).expect("small"));
            framed.put(bytes.as_slice());
            let mut trailers = http::HeaderMap::new();
            trailers.insert("grpc-status", "0".parse().expect("a header"));
            let body = http_body_util::Full::new(Bytes::from(framed)).with_trailers(async move { Some(Ok(trailers)) });
            let response = http::Response::builder().header("content-type", "application/grpc");
            Ok::<_, Infallible>(response.body(Body::new(body)).expect("a response"))
        }
    };
    BoxCloneSyncService::new(tower::service_fn(answer).map_err(|never: Infallible| match never {}))
}

fn start(table: MethodTable) -> Result<Service, StartError> {
    let wire = echo(table.pool());
    Service::new(Config::default(), Deps::per_package(&table, &[("holdfast.toy.v1", wire)]), table)
}

#[tokio::test]
async fn a_new_rpc_has_its_door_without_gateway_code() {
    let table = compile(&[
        ("Get", "get: \"/v1/toys/{name}\" additional_bindings {get: \"/v1/{name=shelves/*/toys/**}\"}"),
        ("Wind", "post: \"/v1/toys/{part.id}:wind\" body: \"*\""),
    ]);
    let world = World::serve(Arc::new(Fake::default()), start(table).expect("a gateway")).await;

    let toy = world.get("/v1/toys/a%2Fb?part.weight=1.5&flags=true&flags=false&price=7&image=AQI").await;
    assert_eq!(toy.status, 200, "{:?}", toy.body);
    assert_eq!(toy.header("cache-control"), Some("public, max-age=5"));
    assert_eq!(
        toy.json(),
        json!({
            "name": "a/b", "part": {"id": "", "weight": 1.5}, "sizes": {}, "price": "7", "image": "AQI=",
            "flags": [true, false],
        })
    );
    assert_eq!(world.get("/v1/shelves/top/toys/a/b%2Fc").await.json()["name"], "shelves/top/toys/a/b%2Fc");
    world.get("/v1/toys/x?sizes=1").await.problem(400, "INVALID_ARGUMENT");
    let nested = world.get("/v1/toys/x?part.spare.name=deep").await.json();
    assert_eq!(nested["part"]["spare"]["name"], "deep");

    let body = r#"{"sizes": {"S": "-1", "M": 2}, "part": {"weight": "Infinity"}, "price": "9007199254740993"}"#;
    let wound = world.post("/v1/toys/p1:wind", body).await.json();
    assert_eq!(
        (&wound["sizes"], &wound["part"]["id"], &wound["part"]["weight"], &wound["price"], &wound["flags"]),
        (&json!({"S": "-1", "M": "2"}), &"p1".into(), &"Infinity".into(), &"9007199254740993".into(), &json!([true]))
    );
    let bad = world.post("/v1/toys/p1:wind", r#"{"sizes": {"S": "x"}}"#).await.problem(400, "INVALID_ARGUMENT");
    assert_eq!(bad["errors"][0]["pointer"], "/sizes/S");

    let openapi = world.get("/openapi.json").await.json();
    let operation = &openapi["paths"]["/v1/toys/{part.id}:wind"]["post"];
    assert_eq!(operation["operationId"], "ToyService_Wind");
    assert_eq!(openapi["paths"]["/v1/{name}"]["get"]["operationId"], "ToyService_Get_2");
    assert_eq!(openapi["tags"][0]["description"], "Plays.");
}

#[tokio::test]
async fn what_cannot_be_served_stops_the_start_up() {
    let check = |methods: &[(&str, &str)], expect: &str| {
        let error = start(compile(methods)).expect_err(expect).to_string();
        assert_eq!(error, expect);
    };
    check(
        &[("Get", "get: \"/v1/toys/{name}\""), ("Find", "get: \"/v1/toys/{part.id}\"")],
        "holdfast.toy.v1.ToyService.Get and holdfast.toy.v1.ToyService.Find have the same route GET /v1/toys/{name}",
    );
    check(
        &[("Get", "get: \"/livez\"")],
        "holdfast.toy.v1.ToyService.Get and the gateway itself have the same route GET /livez",
    );
    check(
        &[("Get", "get: \"/v1/{nothing}\"")],
        "holdfast.toy.v1.ToyService.Get: holdfast.toy.v1.Toy has no field nothing",
    );
    check(&[("Get", "get: \"/v1/{sizes}\"")], "holdfast.toy.v1.ToyService.Get: sizes cannot be taken from a path");
    check(
        &[("Get", "post: \"/v1/toys\" body: \"name\"")],
        "holdfast.toy.v1.ToyService.Get: name cannot be a body: it is not a message",
    );
    check(
        &[("Get", "get: \"/v1/toys/{name\"")],
        "holdfast.toy.v1.ToyService.Get: route /v1/toys/{name cannot be served: expected `}` at ``",
    );
    let table = compile(&[("Get", "get: \"/v1/toys\"")]);
    let error = Service::new(Config::default(), Deps::default(), table).expect_err("nobody behind").to_string();
    assert_eq!(error, "no upstream is given for holdfast.toy.v1.ToyService");
}
