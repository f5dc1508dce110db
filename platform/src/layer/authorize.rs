//! Who may call what. Under mutual TLS every call is made in a workload's name, and only what its method's contract says
//! in `callers` is let through: everything else is denied, methods that no contract has included.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{Either, Ready, ready};
use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::{MethodTable, Workload};
use tonic::body::Body;
use tower::{Layer, Service};

use crate::peer::Peer;
use crate::status::Refusal;
use crate::tls::{SpiffeId, TrustDomain};

/// Whether a process can work is no secret among those who prove who they are.
const HEALTH: &str = "/grpc.health.v1.Health/";
/// The contracts are for people to look around in; services have them compiled in.
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/";

/// Why a table cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    #[error("nobody says who may call {method}: its package is not one of ours")]
    NoCallers { method: String },
}

/// Who may call what, closed: made once, at start.
#[derive(Debug)]
pub struct Callers {
    domain: TrustDomain,
    operator: SpiffeId,
    by_path: HashMap<String, Vec<SpiffeId>>,
}

impl Callers {
    /// The contracts' own table, for workloads of a trust domain.
    ///
    /// # Errors
    /// Where the descriptors have a method that the table lacks. A caller that is no workload has stopped the method
    /// table itself.
    pub fn new(table: &MethodTable, domain: &TrustDomain) -> Result<Self, AuthorizeError> {
        let ids = |callers: &[Workload]| callers.iter().map(|caller| domain.id_of(*caller)).collect();
        let by_path: HashMap<_, _> =
            table.methods().map(|method| (method.path.clone(), ids(&method.callers))).collect();
        for method in table.pool().services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
            let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
            if !by_path.contains_key(&path) {
                return Err(AuthorizeError::NoCallers { method: method.full_name().to_owned() });
            }
        }
        Ok(Self { domain: domain.clone(), operator: domain.id_of(Workload::Operator), by_path })
    }

    fn allows(&self, peer: &Peer, path: &str) -> bool {
        // Under mutual TLS nobody else exists.
        let Peer::Spiffe(id) = peer else { return false };
        if path.starts_with(HEALTH) {
            // The acceptor lets nobody else in; that is not this table's to rely on.
            return id.parse().is_ok_and(|id: SpiffeId| id.is_of(&self.domain));
        }
        if path.starts_with(REFLECTION) {
            return **id == *self.operator.as_str();
        }
        self.by_path.get(path).is_some_and(|callers| callers.iter().any(|caller| caller.as_str() == &**id))
    }
}

/// See the module. To be put inside [`CallLayer`](crate::layer::call::CallLayer), so that refusals are traced.
#[derive(Debug, Clone)]
pub struct AuthorizeLayer {
    /// None where anybody may call anything.
    callers: Option<Arc<Callers>>,
}

impl AuthorizeLayer {
    /// For a port behind mutual TLS.
    ///
    /// # Errors
    /// As [`Callers::new`].
    pub fn mutual_tls(table: &MethodTable, domain: &TrustDomain) -> Result<Self, AuthorizeError> {
        Ok(Self { callers: Some(Arc::new(Callers::new(table, domain)?)) })
    }

    /// For a plaintext port, in development or behind a mesh that does all this: says so, once, at start.
    pub fn plaintext() -> Self {
        tracing::warn!("without mutual TLS, whoever reaches this process may call every method");
        Self { callers: None }
    }

    /// For calls within a process, which have nothing to prove to it.
    pub fn in_process() -> Self {
        Self { callers: None }
    }
}

impl<S> Layer<S> for AuthorizeLayer {
    type Service = Authorized<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Authorized { inner, callers: self.callers.clone() }
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Authorized<S> {
    inner: S,
    callers: Option<Arc<Callers>>,
}

impl<S, B> Service<http::Request<B>> for Authorized<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<S::Response, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        if let Some(callers) = &self.callers {
            let peer = request.extensions().get::<Peer>().unwrap_or(&Peer::Anonymous);
            let path = request.uri().path();
            if !callers.allows(peer, path) {
                tracing::warn!(%peer, method = path, "a call is refused: its caller is not one of the method's");
                let refusal = Refusal::new(Reason::CallerNotAllowed, format!("{peer} may not call {path}"));
                let status = tonic::Status::from(refusal.with("peer", peer).with("method", path));
                return Either::Right(ready(Ok(status.into_http())));
            }
        }
        Either::Left(self.inner.call(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_nobody_is_named_for_stops_the_start_up() {
        let domain: TrustDomain = "holdfast".parse().expect("a trust domain");
        let ours = MethodTable::load().expect("this build's contracts");
        assert!(Callers::new(&ours, &domain).is_ok());
        // Two serialized sets in a row are one set with the files of both.
        let more = [holdfast_contracts::DESCRIPTOR_SET, tonic_health::pb::FILE_DESCRIPTOR_SET].concat();
        let foreign = MethodTable::parse(&more).expect("a service of another package needs no policy");
        let error = Callers::new(&foreign, &domain).expect_err("nobody is named for it");
        assert!(error.to_string().contains("grpc.health.v1.Health"), "{error}");
    }

    #[test]
    fn only_a_proved_name_counts_under_mutual_tls() {
        let domain: TrustDomain = "holdfast".parse().expect("a trust domain");
        let table = MethodTable::load().expect("this build's contracts");
        let callers = Callers::new(&table, &domain).expect("a table");
        let method = "/holdfast.inventory.v1.InventoryService/BeginPayment";
        let allows = |peer: &Peer, path: &str| callers.allows(peer, path);
        let spiffe = |id: &str| Peer::Spiffe(id.into());

        assert!(allows(&spiffe("spiffe://holdfast/order-svc"), method));
        for peer in [
            Peer::Anonymous,
            Peer::InProcess("order-svc"),
            spiffe("order-svc"),
            spiffe("spiffe://elsewhere/order-svc"),
            spiffe("spiffe://holdfast/order-svc/"),
            spiffe("spiffe://holdfast/gateway"),
        ] {
            assert!(!allows(&peer, method), "{peer:?}");
        }
        let health = "/grpc.health.v1.Health/Check";
        assert!(allows(&spiffe("spiffe://holdfast/anybody"), health));
        for peer in [Peer::Anonymous, spiffe("spiffe://elsewhere/order-svc")] {
            assert!(!allows(&peer, health), "{peer:?}");
        }
    }
}
