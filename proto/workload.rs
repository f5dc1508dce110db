//! Who takes part in the mesh: the closed list of workloads. It stands beside the contracts because their `callers` are
//! written in these names, and everything that says who somebody is (certificates, clients, the table of who may call
//! what) reads it from here.

use std::fmt;
use std::str::FromStr;

/// A process, or the people with its certificate, that may be given a name by the mesh's authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Workload {
    InventorySvc,
    OrderSvc,
    RecSvc,
    Gateway,
    /// People with grpcurl, and the operator's commands.
    Operator,
}

/// A name that no workload has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no workload is called {0:?}")]
pub struct UnknownWorkload(pub String);

impl Workload {
    pub const ALL: [Self; 5] = [Self::InventorySvc, Self::OrderSvc, Self::RecSvc, Self::Gateway, Self::Operator];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InventorySvc => "inventory-svc",
            Self::OrderSvc => "order-svc",
            Self::RecSvc => "rec-svc",
            Self::Gateway => "gateway",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Workload {
    type Err = UnknownWorkload;

    fn from_str(name: &str) -> Result<Self, UnknownWorkload> {
        Self::ALL.into_iter().find(|workload| workload.as_str() == name).ok_or_else(|| UnknownWorkload(name.to_owned()))
    }
}
