//! What was asked, what was measured, and whether it holds.

use std::fmt::{self, Write as _};
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) asked: &'static str,
    pub(super) measured: String,
    pub(super) holds: bool,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, asked, measured, holds } = self;
        let verdict = if *holds { "holds" } else { "SHORT" };
        write!(f, "{name}: {measured} (asked: {asked}) {verdict}")
    }
}

pub(super) fn markdown(figures: &[Figure]) -> String {
    let mut table = String::from("| what | asked | measured | |\n| --- | --- | --- | --- |\n");
    for Figure { name, asked, measured, holds } in figures {
        let verdict = if *holds { "holds" } else { "**short**" };
        writeln!(table, "| {name} | {asked} | {measured} | {verdict} |").expect("a string can be written to");
    }
    table
}

pub(super) fn save(figures: &[Figure], folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    std::fs::write(folder.join("mesh.md"), markdown(figures))?;
    std::fs::write(folder.join("mesh.json"), serde_json::to_vec_pretty(figures)?)?;
    Ok(())
}
