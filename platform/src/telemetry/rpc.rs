//! RPCs as OpenTelemetry names them: semantic conventions 1.40.0, where they are a release candidate.

use std::collections::HashMap;
use std::sync::LazyLock;

use holdfast_contracts::MethodTable;
use tonic::Code;

use super::label::Label;

crate::label! {
    /// One value: everything here is gRPC.
    pub enum RpcSystem = "rpc.system.name" { Grpc = "grpc" }
}

/// A method of the contracts or of gRPC's own services; whatever else is asked for is `_OTHER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RpcMethod(u16);

/// What every server serves beside the contracts.
const INFRASTRUCTURE: [&str; 4] = [
    "grpc.health.v1.Health/Check",
    "grpc.health.v1.Health/List",
    "grpc.health.v1.Health/Watch",
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
];
/// What the conventions call a method that nobody serves.
const OTHER: &str = "_OTHER";

struct Methods {
    /// Without the leading slash.
    names: Vec<&'static str>,
    /// By path, with the slash.
    places: HashMap<String, u16>,
    streams: Vec<bool>,
}

static METHODS: LazyLock<Methods> = LazyLock::new(|| {
    // Contracts that cannot be served stop every process at its start, before anything is counted.
    let table = MethodTable::load().ok();
    let methods = table.iter().flat_map(MethodTable::methods);
    let mut known: Vec<(String, bool)> = methods
        .map(|method| (method.path[1..].to_owned(), method.descriptor.is_server_streaming()))
        .chain(INFRASTRUCTURE.map(|name| (name.to_owned(), !name.ends_with("Check"))))
        .collect();
    known.sort();
    let places = (0..).zip(&known).map(|(place, (name, _))| (format!("/{name}"), place)).collect();
    let streams = known.iter().map(|(_, streams)| *streams).chain([true]).collect();
    let names = known.into_iter().map(|(name, _)| &*name.leak()).chain([OTHER]).collect();
    Methods { names, places, streams }
});

impl RpcMethod {
    /// The method at a request's path.
    pub fn at(path: &str) -> Self {
        let methods = &*METHODS;
        let other = methods.names.len() - 1;
        Self(methods.places.get(path).copied().unwrap_or_else(|| u16::try_from(other).unwrap_or(u16::MAX)))
    }

    /// `holdfast.inventory.v1.InventoryService/Reserve`.
    pub fn name(self) -> &'static str {
        METHODS.names[self.place()]
    }

    /// Whether it may answer more than once; so may one that nobody knows.
    pub fn streams(self) -> bool {
        METHODS.streams[self.place()]
    }
}

impl Label for RpcMethod {
    const NAME: &'static str = "rpc.method";

    fn words() -> &'static [&'static str] {
        &METHODS.names
    }

    fn place(self) -> usize {
        usize::from(self.0)
    }
}

/// How an RPC ended: gRPC's own list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RpcStatus(pub Code);

/// By number.
const STATUSES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

impl RpcStatus {
    pub fn name(self) -> &'static str {
        STATUSES[self.place()]
    }

    /// What a response's headers or trailers say; none where they leave it to what follows.
    pub fn read(headers: &http::HeaderMap) -> Option<Self> {
        headers.get("grpc-status").map(|status| Self(Code::from_bytes(status.as_bytes())))
    }

    /// Whether the fault is the server's, as the conventions judge it.
    pub fn is_server_fault(self) -> bool {
        match self.0 {
            Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss => true,
            Code::Ok
            | Code::Cancelled
            | Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::ResourceExhausted
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unauthenticated => false,
        }
    }
}

impl Label for RpcStatus {
    const NAME: &'static str = "rpc.response.status_code";

    fn words() -> &'static [&'static str] {
        &STATUSES
    }

    fn place(self) -> usize {
        self.0 as usize
    }
}
