//! What the layers need of each method's policy, by its gRPC path.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use holdfast_contracts::options::v1::Criticality;
use holdfast_contracts::{MethodError, MethodInfo, MethodTable};

use crate::deadline::{TIMEOUT_DEFAULT, TIMEOUT_MAX};

/// One method's bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// How long it may take where its caller does not say.
    pub timeout_default: Duration,
    /// The longest its caller may ask for.
    pub timeout_max: Duration,
    pub criticality: Criticality,
    /// Whether it answers with a stream: its timeouts bound the opening only.
    pub is_stream: bool,
    /// Which of the table's methods it is: `0..Methods::len()`. None for what is not in it: health and reflection.
    pub index: Option<usize>,
}

/// What holds for health and reflection, and for what is served nowhere.
const INFRASTRUCTURE: Method = Method {
    timeout_default: TIMEOUT_DEFAULT,
    timeout_max: TIMEOUT_MAX,
    criticality: Criticality::Critical,
    is_stream: true,
    index: None,
};

/// Every method of the contracts; cheap to clone.
#[derive(Debug, Clone)]
pub struct Methods {
    by_path: Arc<HashMap<String, Method>>,
}

impl Methods {
    /// Those of this build's contracts.
    ///
    /// # Errors
    /// Where a contract lacks its policy.
    pub fn load() -> Result<Self, MethodError> {
        Ok(Self::of(&MethodTable::load()?))
    }

    pub fn of(table: &MethodTable) -> Self {
        let bounds = |(index, info): (usize, &MethodInfo)| {
            let method = Method {
                timeout_default: Duration::from_millis(info.policy.timeout_default_ms.into()),
                timeout_max: Duration::from_millis(info.policy.timeout_max_ms.into()),
                criticality: info.policy.criticality(),
                is_stream: info.descriptor.is_server_streaming(),
                index: Some(index),
            };
            (info.path.clone(), method)
        };
        Self::from_iter(table.methods().enumerate().map(bounds))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_path.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_path.is_empty()
    }

    /// The method at a gRPC path; what holds for health and reflection where the contracts have none there.
    pub fn at(&self, path: &str) -> Method {
        self.by_path.get(path).copied().unwrap_or(INFRASTRUCTURE)
    }
}

/// For tests: methods of one's own, by path.
impl FromIterator<(String, Method)> for Methods {
    fn from_iter<I: IntoIterator<Item = (String, Method)>>(methods: I) -> Self {
        Self { by_path: Arc::new(methods.into_iter().collect()) }
    }
}
