//! One gRPC call over a wire, with what its callee should know: deadline, request id and trace.

mod codec;

use holdfast_platform::client::Wire;
use holdfast_platform::deadline::Deadline;
use holdfast_platform::layer::call::REQUEST_ID;
use holdfast_platform::trace_context::TRACEPARENT;
use prost_reflect::DynamicMessage;
use tonic::client::Grpc;
use tonic::metadata::MetadataValue;
use tonic::{Request, Status, Streaming};

use crate::context::Context;
use crate::route::Route;
use codec::DynamicCodec;

/// Asks for one answer, by the deadline.
pub(crate) async fn ask(
    route: &Route,
    message: DynamicMessage,
    cx: &Context,
    deadline: Deadline,
    answer_bytes_max: usize,
) -> Result<DynamicMessage, Status> {
    let call = async {
        let mut grpc = ready(route, answer_bytes_max).await?;
        let mut request = deadline.request(message);
        mark(&mut request, cx);
        Ok(grpc.unary(request, route.grpc_path.clone(), codec(route)).await?.into_inner())
    };
    tokio::time::timeout_at(deadline.instant(), call).await.unwrap_or_else(|_| Err(late()))
}

/// Opens a stream of answers; the deadline bounds the opening, not the stream.
pub(crate) async fn watch(
    route: &Route,
    message: DynamicMessage,
    cx: &Context,
    deadline: Deadline,
    answer_bytes_max: usize,
) -> Result<Streaming<DynamicMessage>, Status> {
    let call = async {
        let mut grpc = ready(route, answer_bytes_max).await?;
        let mut request = Request::new(message);
        mark(&mut request, cx);
        Ok(grpc.server_streaming(request, route.grpc_path.clone(), codec(route)).await?.into_inner())
    };
    tokio::time::timeout_at(deadline.instant(), call).await.unwrap_or_else(|_| Err(late()))
}

async fn ready(route: &Route, answer_bytes_max: usize) -> Result<Grpc<Wire>, Status> {
    let mut grpc = Grpc::new(route.wire.clone()).max_decoding_message_size(answer_bytes_max);
    grpc.ready().await.map_err(|cause| Status::from_error(cause.into()))?;
    Ok(grpc)
}

fn mark(request: &mut Request<DynamicMessage>, cx: &Context) {
    let headers = [(REQUEST_ID, Some(&cx.request_id)), (TRACEPARENT, cx.traceparent.as_ref())];
    for (name, value) in headers {
        if let Some(value) = value.and_then(|value| MetadataValue::try_from(value.as_bytes()).ok())
            && let Ok(name) = tonic::metadata::AsciiMetadataKey::from_bytes(name.as_str().as_bytes())
        {
            request.metadata_mut().insert(name, value);
        }
    }
}

fn codec(route: &Route) -> DynamicCodec {
    DynamicCodec { answer: route.method.descriptor.output() }
}

fn late() -> Status {
    Status::deadline_exceeded("the gateway stopped waiting")
}
