//! The files of one run: read, and settled where two of them say the same thing.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use inventory_svc::domain::feed::{self, Fault, Feed, Layout, Policy, Skip};
use uuid::Uuid;

const REJECTS_ENDING: &str = ".rejects.csv";
/// The namespace of everything an import names by its content (UUIDv5).
pub(super) const NAMESPACE: Uuid = Uuid::from_u128(0x6b1d_6d1e_7a0c_4c1a_9a55_2f0e_5f0d_4e21);

/// What a run was given.
pub(super) struct Sources {
    pub(super) files: Vec<Source>,
    /// Rejects of earlier runs, which `*.csv` brings along: their rows are in the files they came from.
    pub(super) left_out: Vec<PathBuf>,
}

/// One file, read.
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) feed: Feed,
    /// Names the content: the same bytes have the same one.
    pub(super) content_id: Uuid,
}

/// Reads every file, and refuses them all where one cannot be read.
pub(super) fn read_all(paths: &[PathBuf], policy: &Policy) -> anyhow::Result<Sources> {
    let (rejects, paths): (Vec<_>, Vec<_>) = paths.iter().cloned().partition(|path| is_rejects(path));
    let mut files = Vec::new();
    let mut refused = Vec::new();
    for path in paths {
        match read(&path, policy) {
            Ok(source) => files.push(source),
            Err(error) => refused.push(format!("{error:#}")),
        }
    }
    anyhow::ensure!(refused.is_empty(), "nothing was imported:\n{}", refused.join("\n"));
    Ok(Sources { files, left_out: rejects })
}

fn is_rejects(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(REJECTS_ENDING))
}

fn read(path: &Path, policy: &Policy) -> anyhow::Result<Source> {
    let shown = || path.display().to_string();
    let bytes_max = u64::try_from(feed::FILE_BYTES_MAX).unwrap_or(u64::MAX);
    let bytes = std::fs::metadata(path).with_context(shown)?.len();
    anyhow::ensure!(bytes <= bytes_max, "{}: has {bytes} bytes: at most {bytes_max} are read", shown());
    let bytes = std::fs::read(path).with_context(shown)?;
    let feed = feed::read(&bytes, policy).with_context(shown)?;
    Ok(Source { path: path.to_owned(), feed, content_id: Uuid::new_v5(&NAMESPACE, &bytes) })
}

/// Leaves each product and each level to one file: else they would change with every run. A product is the first
/// file's that has it. A level is a stock file's before a product export's, and the last such file's.
pub(super) fn settle(sources: &mut [Source]) {
    settle_products(sources);
    settle_levels(sources);
}

fn settle_products(sources: &mut [Source]) {
    let mut owners: HashMap<String, PathBuf> = HashMap::new();
    for source in sources {
        let feed = &mut source.feed;
        let mut refused = BTreeMap::new();
        feed.products.retain(|product| {
            let owner = owners.entry(product.id.to_string()).or_insert_with(|| source.path.clone());
            let is_ours = *owner == source.path;
            if !is_ours {
                let fault = Fault::OtherFile(owner.display().to_string());
                refused.extend(product.variants.iter().map(|variant| (variant.row, fault.clone())));
            }
            is_ours
        });
        source.refuse_rows(&refused);
    }
}

fn settle_levels(sources: &mut [Source]) {
    let mut owners: HashMap<(String, String), usize> = HashMap::new();
    let mut by_authority: Vec<usize> = (0..sources.len()).collect();
    by_authority.sort_by_key(|&index| (sources[index].feed.layout != Layout::ProductExport, index));
    for index in by_authority {
        for line in &sources[index].feed.stock {
            owners.insert((line.sku.to_string(), line.location.to_string()), index);
        }
    }
    for (index, source) in sources.iter_mut().enumerate() {
        let Feed { stock, books, .. } = &mut source.feed;
        stock.retain(|line| {
            let is_ours = owners[&(line.sku.to_string(), line.location.to_string())] == index;
            if !is_ours {
                books.leave(line.row, Skip::Overridden);
            }
            is_ours
        });
    }
}

impl Source {
    /// Nothing of these rows is taken after all, nor their stock.
    pub(super) fn refuse_rows(&mut self, refused: &BTreeMap<usize, Fault>) {
        self.feed.stock.retain(|line| !refused.contains_key(&line.row));
        for (row, fault) in refused {
            self.feed.books.refuse_whole(*row, "", "", fault.clone());
        }
    }

    /// Writes the rejects beside the file or into a folder, and clears those of an earlier run where there are none.
    pub(super) fn write_rejects(&self, folder: Option<&Path>) -> anyhow::Result<Option<PathBuf>> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(REJECTS_ENDING);
        let path = match folder {
            Some(folder) => folder.join(name),
            None => self.path.with_file_name(name),
        };
        if self.feed.books.rejects().is_empty() {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot clear old rejects {}", path.display()));
                }
                Ok(()) | Err(_) => return Ok(None),
            }
        }
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder).with_context(|| format!("--rejects-dir {}", folder.display()))?;
        }
        std::fs::write(&path, self.feed.rejects_csv())
            .with_context(|| format!("cannot write rejects {}: name a folder with --rejects-dir", path.display()))?;
        Ok(Some(path))
    }
}
