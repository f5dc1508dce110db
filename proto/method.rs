//! The method table: every RPC with its policy and its REST routes, read from the descriptor set.
//! Every process checks it at start; the gateway builds its doors from it.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};

use crate::google::api::{HttpRule, http_rule::Pattern};
use crate::options::v1::{CachePolicy, Criticality, Idempotency, MethodPolicy, RateClass, TenantRule};
use crate::workload::{UnknownWorkload, Workload};

/// Why the contracts cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum MethodError {
    #[error("the descriptor set cannot be read: {0}")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    #[error("{method} has no holdfast.options.v1.method option: say who may call it and how")]
    NoPolicy { method: String },
    #[error("{method} leaves {field} of its holdfast.options.v1.method option unspecified")]
    IncompletePolicy { method: String, field: &'static str },
    #[error("{method} names a caller that does not exist: {cause}")]
    UnknownCaller { method: String, cause: UnknownWorkload },
    #[error("{method} requires a request id, but {message} has no request_id field")]
    NoRequestId { method: String, message: String },
    #[error("{method} has no google.api.http route, though the gateway may call it")]
    NoRoute { method: String },
    #[error("{method} has a google.api.http route, but the gateway is not among its callers")]
    UselessRoute { method: String },
    #[error("{method}: {problem}")]
    BadRoute { method: String, problem: String },
}

/// An HTTP verb a route may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    Get,
    Put,
    Post,
    Delete,
    Patch,
}

impl Verb {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
        }
    }
}

/// One google.api.http binding, as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRoute {
    pub verb: Verb,
    /// `/v1/stock/{sku}:adjust`.
    pub template: String,
    /// The request field that is the body; `*` for the whole message, empty for none.
    pub body: String,
}

/// One RPC with everything its doors need.
#[derive(Debug, Clone)]
pub struct MethodInfo {
    pub descriptor: MethodDescriptor,
    /// `/holdfast.inventory.v1.InventoryService/Reserve`.
    pub path: String,
    pub policy: MethodPolicy,
    /// Who may call it under mutual TLS, as the policy names them.
    pub callers: Vec<Workload>,
    /// None where the gateway may not call it.
    pub routes: Vec<HttpRoute>,
}

impl MethodInfo {
    /// A route nobody may go through would be a promise in the documentation that every call breaks.
    fn check_routes(&self) -> Result<(), MethodError> {
        let method = || self.descriptor.full_name().to_owned();
        match (self.callers.contains(&Workload::Gateway), self.routes.is_empty()) {
            (true, true) => Err(MethodError::NoRoute { method: method() }),
            (false, false) => Err(MethodError::UselessRoute { method: method() }),
            (true, false) | (false, true) => Ok(()),
        }
    }
}

/// Every RPC of `holdfast.*`, by its gRPC path.
#[derive(Debug, Clone)]
pub struct MethodTable {
    pool: DescriptorPool,
    methods: BTreeMap<String, MethodInfo>,
}

impl MethodTable {
    /// The table of this build's own contracts.
    ///
    /// # Errors
    /// As [`MethodTable::parse`]; a test holds that this build's contracts have none.
    pub fn load() -> Result<Self, MethodError> {
        Self::parse(crate::DESCRIPTOR_SET)
    }

    /// The table of a serialized descriptor set.
    ///
    /// # Errors
    /// Where the set is not one, or a method lacks its policy, its route or its request id, or names a caller that no
    /// workload is.
    pub fn parse(descriptor_set: &[u8]) -> Result<Self, MethodError> {
        let pool = DescriptorPool::decode(descriptor_set)?;
        let mut methods = BTreeMap::new();
        for service in pool.services().filter(|service| service.package_name().starts_with("holdfast.")) {
            for descriptor in service.methods() {
                let path = format!("/{}/{}", service.full_name(), descriptor.name());
                let policy = read_policy(&pool, &descriptor)?;
                let routes = read_routes(&pool, &descriptor)?;
                let callers = read_callers(&policy, &descriptor)?;
                let method = MethodInfo { descriptor, path, policy, callers, routes };
                method.check_routes()?;
                methods.insert(method.path.clone(), method);
            }
        }
        Ok(Self { pool, methods })
    }

    pub fn methods(&self) -> impl Iterator<Item = &MethodInfo> {
        self.methods.values()
    }

    /// The RPC at a gRPC path.
    pub fn get(&self, path: &str) -> Option<&MethodInfo> {
        self.methods.get(path)
    }

    pub fn pool(&self) -> &DescriptorPool {
        &self.pool
    }
}

fn read_policy(pool: &DescriptorPool, method: &MethodDescriptor) -> Result<MethodPolicy, MethodError> {
    let name = || method.full_name().to_owned();
    let incomplete = |field| Err(MethodError::IncompletePolicy { method: name(), field });
    let Some(policy) = read_option::<MethodPolicy>(pool, method, "holdfast.options.v1.method") else {
        return Err(MethodError::NoPolicy { method: name() });
    };
    if policy.scope.is_empty() {
        return incomplete("scope");
    }
    if policy.tenant() == TenantRule::Unspecified {
        return incomplete("tenant");
    }
    if policy.rate() == RateClass::Unspecified {
        return incomplete("rate");
    }
    if policy.cache() == CachePolicy::Unspecified {
        return incomplete("cache");
    }
    if policy.idempotency() == Idempotency::Unspecified {
        return incomplete("idempotency");
    }
    if policy.timeout_default_ms == 0 {
        return incomplete("timeout_default_ms");
    }
    if policy.timeout_max_ms < policy.timeout_default_ms {
        return incomplete("timeout_max_ms");
    }
    if policy.criticality() == Criticality::Unspecified {
        return incomplete("criticality");
    }
    if policy.callers.is_empty() {
        return incomplete("callers");
    }
    if policy.request_id_required && method.input().get_field_by_name("request_id").is_none() {
        return Err(MethodError::NoRequestId { method: name(), message: method.input().full_name().to_owned() });
    }
    Ok(policy)
}

fn read_callers(policy: &MethodPolicy, method: &MethodDescriptor) -> Result<Vec<Workload>, MethodError> {
    let unknown = |cause| MethodError::UnknownCaller { method: method.full_name().to_owned(), cause };
    policy.callers.iter().map(|name| name.parse().map_err(unknown)).collect()
}

fn read_routes(pool: &DescriptorPool, method: &MethodDescriptor) -> Result<Vec<HttpRoute>, MethodError> {
    let Some(rule) = read_option::<HttpRule>(pool, method, "google.api.http") else { return Ok(Vec::new()) };
    let bad = |problem: &str| MethodError::BadRoute { method: method.full_name().to_owned(), problem: problem.into() };
    let mut routes = Vec::new();
    for rule in std::iter::once(&rule).chain(&rule.additional_bindings) {
        let (verb, template) = match rule.pattern.as_ref().ok_or_else(|| bad("a route without a verb"))? {
            Pattern::Get(path) => (Verb::Get, path),
            Pattern::Put(path) => (Verb::Put, path),
            Pattern::Post(path) => (Verb::Post, path),
            Pattern::Delete(path) => (Verb::Delete, path),
            Pattern::Patch(path) => (Verb::Patch, path),
            Pattern::Custom(_) => return Err(bad("custom HTTP verbs are not served")),
        };
        routes.push(HttpRoute { verb, template: template.clone(), body: rule.body.clone() });
    }
    Ok(routes)
}

fn read_option<M: prost::Message + Default>(pool: &DescriptorPool, method: &MethodDescriptor, name: &str) -> Option<M> {
    let extension = pool.get_extension_by_name(name)?;
    let options: DynamicMessage = method.options();
    if !options.has_extension(&extension) {
        return None;
    }
    match options.get_extension(&extension).as_ref() {
        Value::Message(message) => message.transcode_to().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_its_policy_and_route() {
        let table = MethodTable::load().expect("this build's contracts can be served");
        assert!(table.methods().count() >= 20);
        let reserve = table.get("/holdfast.inventory.v1.InventoryService/Reserve").expect("a core route");
        assert_eq!(reserve.routes[0].verb, Verb::Post);
        assert_eq!(reserve.routes[0].template, "/v1/reservations");
        assert!(reserve.policy.request_id_required);
    }

    #[test]
    fn a_method_without_the_option_stops_the_start_up() {
        use prost::Message as _;
        let mut set = prost_types::FileDescriptorSet::decode(crate::DESCRIPTOR_SET).expect("a descriptor set");
        // prost-types knows no custom options: one decode and encode loses every policy.
        set.file.retain(|file| !file.package().is_empty());
        let error = MethodTable::parse(&set.encode_to_vec()).expect_err("no method has a policy now");
        assert!(matches!(error, MethodError::NoPolicy { .. }), "{error}");
    }

    /// This build's contracts with one word for another of the same length, so that every length around it still holds.
    fn contracts_with(word: &str, instead: &str) -> Result<MethodTable, MethodError> {
        assert_eq!(word.len(), instead.len());
        let mut set = crate::DESCRIPTOR_SET.to_vec();
        for at in 0..=set.len() - word.len() {
            if set[at..].starts_with(word.as_bytes()) {
                set[at..at + word.len()].copy_from_slice(instead.as_bytes());
            }
        }
        MethodTable::parse(&set)
    }

    #[test]
    fn a_caller_that_no_workload_is_stops_the_start_up() {
        let error = contracts_with("rec-svc", "rec-svg").expect_err("there is no rec-svg");
        assert!(error.to_string().ends_with(r#"no workload is called "rec-svg""#), "{error}");
    }

    #[test]
    fn a_method_has_a_route_exactly_where_the_gateway_may_call_it() {
        for method in MethodTable::load().expect("this build's contracts").methods() {
            assert_eq!(method.callers.contains(&Workload::Gateway), !method.routes.is_empty(), "{}", method.path);
        }
        let error = contracts_with("gateway", "rec-svc").expect_err("every route is one that nobody may go through");
        assert!(matches!(error, MethodError::UselessRoute { .. }), "{error}");
    }
}
