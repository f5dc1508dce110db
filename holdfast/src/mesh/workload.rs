//! What runs in a mesh.

/// A service that runs as a process of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Workload {
    Inventory,
    Order,
    Rec,
    Gateway,
}

impl Workload {
    /// Callees before callers.
    pub const ALL: [Self; 4] = [Self::Inventory, Self::Order, Self::Rec, Self::Gateway];

    /// Its name everywhere: the binary's, the certificate's, the metrics'.
    pub fn name(self) -> &'static str {
        self.identity().as_str()
    }

    /// Who it is to its peers.
    pub fn identity(self) -> holdfast_contracts::Workload {
        match self {
            Self::Inventory => holdfast_contracts::Workload::InventorySvc,
            Self::Order => holdfast_contracts::Workload::OrderSvc,
            Self::Rec => holdfast_contracts::Workload::RecSvc,
            Self::Gateway => holdfast_contracts::Workload::Gateway,
        }
    }

    /// The argument that says where it listens.
    pub(super) fn door(self) -> &'static str {
        match self {
            Self::Inventory | Self::Order | Self::Rec => "--grpc",
            Self::Gateway => "--http",
        }
    }

    /// The argument by which its callers are told where it is.
    pub(super) fn known_as(self) -> &'static str {
        match self {
            Self::Inventory => "--inventory",
            Self::Order => "--order",
            Self::Rec => "--rec",
            Self::Gateway => unreachable!("nobody calls the gateway"),
        }
    }

    /// Whom it calls.
    pub(super) fn callees(self) -> &'static [Self] {
        match self {
            Self::Inventory => &[],
            Self::Order | Self::Rec => &[Self::Inventory],
            Self::Gateway => &[Self::Inventory, Self::Order, Self::Rec],
        }
    }

    /// Whether it has a database.
    pub(super) fn is_stateful(self) -> bool {
        self != Self::Gateway
    }
}
