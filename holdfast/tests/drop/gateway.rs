//! A small REST door before the fake shop: what the drop's HTTP client needs of a gateway, from the same contracts.

use std::convert::Infallible;

use bytes::{BufMut as _, Bytes, BytesMut};
use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::{MethodInfo, MethodTable, ReasonInfo};
use holdfast_platform::status::reason_of;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use prost::Message as _;
use prost_reflect::DynamicMessage;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio_stream::StreamExt as _;
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tower::ServiceExt as _;

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// Serves for as long as it is polled.
pub(crate) async fn serve(listener: TcpListener, routes: Routes) {
    let table = MethodTable::load().expect("this build's contracts");
    loop {
        let (socket, _) = listener.accept().await.expect("a listener");
        let (routes, table) = (routes.clone(), table.clone());
        drop(holdfast_platform::task::spawn_joined(async move {
            let service = hyper::service::service_fn(move |request| {
                let (routes, table) = (routes.clone(), table.clone());
                async move { Ok::<_, Infallible>(answer(routes, &table, request).await) }
            });
            let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
        }));
    }
}

async fn answer(routes: Routes, table: &MethodTable, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let path = parts.uri.path();
    let matched = table.methods().find_map(|method| {
        let route = method.routes.first()?;
        let values = (route.verb.as_str() == parts.method.as_str()).then(|| captures(&route.template, path))??;
        Some((method, values))
    });
    let Some((method, values)) = matched else { return problem(&Status::unimplemented(path)) };
    let mut json = match method.routes[0].body.as_str() {
        "" => query(method, parts.uri.query().unwrap_or_default()),
        "*" => serde_json::from_slice(&body).expect("JSON"),
        field => Value::Object(Map::from_iter([(field.to_owned(), serde_json::from_slice(&body).expect("JSON"))])),
    };
    for (field, value) in values {
        let place = field.split('.').fold(&mut json, |at, name| &mut at[name]);
        *place = Value::String(value);
    }
    let message = DynamicMessage::deserialize(method.descriptor.input(), json).expect("a request of the contract");
    call(routes, method, &message.encode_to_vec()).await
}

/// The values in a path, where it fits the template.
fn captures(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let Some((before, rest)) = template.split_once('{') else { return (template == path).then(Vec::new) };
    let (field, after) = rest.split_once('}')?;
    let value = path.strip_prefix(before)?.strip_suffix(after)?;
    let fits = !value.is_empty() && !value.contains('/') && (!after.is_empty() || !value.contains(':'));
    fits.then(|| vec![(field.to_owned(), decode(value))])
}

fn query(method: &MethodInfo, query: &str) -> Value {
    let mut object = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').expect("name=value");
        let field = method.descriptor.input().get_field_by_json_name(name).expect("a field of the request");
        let value = Value::String(decode(value));
        if field.is_list() {
            let list = object.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            list.as_array_mut().expect("a list").push(value);
        } else {
            object.insert(name.to_owned(), value);
        }
    }
    Value::Object(object)
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let hex = std::str::from_utf8(&tail[..2]).expect("two digits");
            bytes.push(u8::from_str_radix(hex, 16).expect("hexadecimal"));
            rest = &tail[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

async fn call(routes: Routes, method: &MethodInfo, message: &[u8]) -> Answer {
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).expect("a small message"));
    frame.put_slice(message);
    let request = Request::post(&method.path)
        .header("content-type", "application/grpc")
        .body(Body::new(Full::from(frame.freeze())))
        .expect("a request");
    let response = routes.oneshot(request).await.expect("routes never fail");
    if let Some(status) = Status::from_header_map(response.headers())
        && status.code() != tonic::Code::Ok
    {
        return problem(&status);
    }
    let output = method.descriptor.output();
    let to_json = move |message: &[u8]| {
        let message = DynamicMessage::decode(output.clone(), message).expect("an answer of the contract");
        serde_json::to_string(&message).expect("JSON")
    };
    if method.descriptor.is_server_streaming() {
        let frames = response.into_body().into_data_stream().map(move |data| {
            let data = data.expect("an in-process stream does not break");
            let (mut rest, mut events) = (&data[..], String::new());
            while let [_, a, b, c, d, tail @ ..] = rest {
                let (message, next) = tail.split_at(u32::from_be_bytes([*a, *b, *c, *d]) as usize);
                events.push_str(&format!(": step\n\nid: 1\ndata: {}\n\n", to_json(message)));
                rest = next;
            }
            Ok(Frame::data(Bytes::from(events)))
        });
        let body = StreamBody::new(frames).boxed_unsync();
        return Response::builder().header("content-type", "text/event-stream").body(body).expect("an answer");
    }
    let body = response.into_body().collect().await.expect("an in-process answer");
    if let Some(status) = body.trailers().and_then(Status::from_header_map)
        && status.code() != tonic::Code::Ok
    {
        return problem(&status);
    }
    Response::new(Full::from(to_json(&body.to_bytes()[5..])).boxed_unsync())
}

fn problem(status: &Status) -> Answer {
    let reason = reason_of(status).unwrap_or(Reason::Unavailable);
    let info = ReasonInfo::of(reason);
    let body = serde_json::json!({ "reason": reason.as_str_name(), "detail": status.message(), "title": info.title });
    let mut answer = Response::new(Full::from(body.to_string()).boxed_unsync());
    *answer.status_mut() = StatusCode::from_u16(info.http_status.as_u16()).expect("a status");
    answer
}
