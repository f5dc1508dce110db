//! Who serves what: one file a workload, one address a line, replaced whole.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::Workload;

#[derive(Debug)]
pub(super) struct Endpoints {
    folder: PathBuf,
}

impl Endpoints {
    /// Every workload's file, empty.
    pub(super) fn new(folder: &Path) -> anyhow::Result<Self> {
        let folder = std::path::absolute(folder)?.join("endpoints");
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let endpoints = Self { folder };
        for workload in Workload::ALL {
            endpoints.publish(workload, &[])?;
        }
        Ok(endpoints)
    }

    pub(super) fn publish(&self, workload: Workload, addresses: &[SocketAddr]) -> anyhow::Result<()> {
        let lines: String = addresses.iter().map(|address| format!("{address}\n")).collect();
        let file = self.file(workload);
        let next = file.with_extension("next");
        std::fs::write(&next, lines).with_context(|| format!("cannot write {}", next.display()))?;
        std::fs::rename(&next, &file).with_context(|| format!("cannot replace {}", file.display()))
    }

    pub(super) fn target(&self, workload: Workload) -> String {
        format!("file://{}", self.file(workload).display())
    }

    pub(super) fn file(&self, workload: Workload) -> PathBuf {
        self.folder.join(workload.name())
    }
}
