//! The method table's REST routes, compiled and checked once at start.

mod field;
mod template;
mod tree;

use std::sync::Arc;

use holdfast_contracts::{HttpRoute, MethodInfo, MethodTable, Verb};
use holdfast_platform::client::Wire;
use http::uri::PathAndQuery;
use prost_reflect::{FieldDescriptor, Kind};

pub(crate) use field::{FieldPath, assign, find_field, is_text_kind, is_wrapper};
pub(crate) use template::{Segment, Template, Variable};
pub(crate) use tree::{Found, Tree};

pub use template::TemplateError;

use crate::deps::Deps;

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{method}: route {template} cannot be served: {cause}")]
    Template { method: String, template: String, cause: TemplateError },
    #[error("{method}: {message} has no field {field}")]
    NoField { method: String, message: String, field: String },
    #[error("{method}: {field} cannot be taken from a path")]
    NotText { method: String, field: String },
    #[error("{method}: {field} cannot be a body: it is not a message")]
    NotMessage { method: String, field: String },
    #[error("{second} and {first} have the same route {route}")]
    Conflict { first: String, second: String, route: String },
    #[error("{method}: streams of requests have no REST form")]
    ClientStream { method: String },
    #[error("no upstream is given for {service}")]
    NoUpstream { service: String },
    #[error("{method}: its gRPC path is not a path: {cause}")]
    Path { method: String, cause: http::uri::InvalidUri },
}

/// What a path leads to.
#[derive(Debug, Clone)]
pub(crate) enum Door {
    Call(Arc<Route>),
    Index,
    OpenApi,
    Live,
    Ready,
}

impl Door {
    /// How its route is written.
    pub(crate) fn template(&self) -> &str {
        match self {
            Self::Call(route) => &route.http.template,
            Self::Index => "/",
            Self::OpenApi => "/openapi.json",
            Self::Live => "/livez",
            Self::Ready => "/readyz",
        }
    }
}

/// One route of one RPC, ready to be called.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: MethodInfo,
    pub(crate) http: HttpRoute,
    pub(crate) template: Template,
    pub(crate) grpc_path: PathAndQuery,
    pub(crate) wire: Wire,
    /// One for each of the template's variables.
    pub(crate) path_fields: Vec<FieldPath>,
    pub(crate) body: BodyRule,
    /// What If-Match is written to.
    pub(crate) expected_version: Option<FieldDescriptor>,
    /// What Last-Event-ID is written to.
    pub(crate) cursor: Option<FieldDescriptor>,
}

/// Where the JSON body goes.
#[derive(Debug)]
pub(crate) enum BodyRule {
    None,
    Whole,
    Field(FieldDescriptor),
}

impl Route {
    pub(crate) fn streams(&self) -> bool {
        self.method.descriptor.is_server_streaming()
    }

    fn compile(method: &MethodInfo, http: &HttpRoute, deps: &Deps) -> Result<Self, StartError> {
        let name = || method.descriptor.full_name().to_owned();
        if method.descriptor.is_client_streaming() {
            return Err(StartError::ClientStream { method: name() });
        }
        let template = Template::parse(&http.template).map_err(|cause| StartError::Template {
            method: name(),
            template: http.template.clone(),
            cause,
        })?;
        let input = method.descriptor.input();
        let no_field = |field: &str| StartError::NoField {
            method: name(),
            message: input.full_name().into(),
            field: field.into(),
        };
        let mut path_fields = Vec::new();
        for variable in &template.variables {
            let path = FieldPath::resolve(&input, &variable.field).ok_or_else(|| no_field(&variable.field))?;
            if path.leaf().is_list() || !is_text_kind(&path.leaf().kind()) {
                return Err(StartError::NotText { method: name(), field: variable.field.clone() });
            }
            path_fields.push(path);
        }
        let body = match http.body.as_str() {
            "" => BodyRule::None,
            "*" => BodyRule::Whole,
            field => {
                let found = input.get_field_by_name(field).ok_or_else(|| no_field(field))?;
                if found.is_list() || found.is_map() || !matches!(found.kind(), Kind::Message(_)) {
                    return Err(StartError::NotMessage { method: name(), field: field.to_owned() });
                }
                BodyRule::Field(found)
            }
        };
        let service = method.descriptor.parent_service().full_name();
        let wire = deps.wire(service).ok_or_else(|| StartError::NoUpstream { service: service.to_owned() })?;
        let grpc_path = method.path.parse().map_err(|cause| StartError::Path { method: name(), cause })?;
        Ok(Self {
            http: http.clone(),
            template,
            grpc_path,
            wire: wire.clone(),
            path_fields,
            body,
            expected_version: input.get_field_by_name("expected_version"),
            cursor: input.get_field_by_name("cursor").filter(|field| field.kind() == Kind::String && !field.is_list()),
            method: method.clone(),
        })
    }
}

/// Compiles every route of the table, and the gateway's own, into one tree.
pub(crate) fn compile(table: &MethodTable, deps: &Deps) -> Result<Tree<Door>, StartError> {
    let mut tree = Tree::default();
    let own = [("", Door::Index), ("openapi.json", Door::OpenApi), ("livez", Door::Live), ("readyz", Door::Ready)];
    for (path, door) in own {
        let segments = vec![Segment::Literal(path.to_owned())];
        let template = Template { segments, ..Template::default() };
        insert(&mut tree, Verb::Get, &template, door, &format!("/{path}"))?;
    }
    for method in table.methods() {
        for http in &method.routes {
            let route = Arc::new(Route::compile(method, http, deps)?);
            insert(&mut tree, http.verb, &route.template, Door::Call(route.clone()), &http.template)?;
        }
    }
    Ok(tree)
}

fn insert(tree: &mut Tree<Door>, verb: Verb, template: &Template, door: Door, text: &str) -> Result<(), StartError> {
    let second = door.name();
    tree.insert(verb, template, door).map_err(|first| StartError::Conflict {
        first: first.name(),
        second,
        route: format!("{} {text}", verb.as_str()),
    })
}

impl Door {
    pub(crate) fn route(&self) -> Option<&Route> {
        match self {
            Self::Call(route) => Some(route),
            Self::Index | Self::OpenApi | Self::Live | Self::Ready => None,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Call(route) => route.method.descriptor.full_name().to_owned(),
            Self::Index | Self::OpenApi | Self::Live | Self::Ready => "the gateway itself".to_owned(),
        }
    }
}
