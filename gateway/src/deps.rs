//! What a gateway needs from others: a wire to each service.

use holdfast_contracts::MethodTable;
use holdfast_platform::client::Wire;

/// The services behind the gateway.
#[derive(Debug, Clone, Default)]
pub struct Deps {
    /// By full gRPC service name: `holdfast.inventory.v1.InventoryService`.
    pub upstreams: Vec<(String, Wire)>,
}

impl Deps {
    /// One wire per Protobuf package: every service of `holdfast.inventory.v1` is reached over its wire.
    pub fn per_package(table: &MethodTable, wires: &[(&str, Wire)]) -> Self {
        let mut upstreams: Vec<(String, Wire)> = Vec::new();
        for method in table.methods() {
            let service = method.descriptor.parent_service();
            if upstreams.iter().any(|(name, _)| name == service.full_name()) {
                continue;
            }
            if let Some((_, wire)) = wires.iter().find(|(package, _)| *package == service.package_name()) {
                upstreams.push((service.full_name().to_owned(), wire.clone()));
            }
        }
        Self { upstreams }
    }

    pub(crate) fn wire(&self, service: &str) -> Option<&Wire> {
        self.upstreams.iter().find(|(name, _)| name == service).map(|(_, wire)| wire)
    }
}
