//! What an import came to, for people and for programs.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use inventory_svc::domain::feed::{Fate, Feed};
use serde::Serialize;

use super::source::{Source, Sources};
use crate::output::Output;

/// How many rejects are told; the rejects file has them all.
const REJECTS_TOLD_MAX: usize = 1_000;
const REJECTS_PRINTED_MAX: usize = 10;
/// The exit code when rows were rejected.
const EXIT_REJECTED: u8 = 2;

#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) dry_run: bool,
    pub(crate) files: Vec<FileSummary>,
    /// Rejects files of earlier runs among the files named.
    pub(crate) left_out: Vec<PathBuf>,
    pub(crate) brands_created: u64,
    pub(crate) locations_created: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct FileSummary {
    pub(crate) file: PathBuf,
    /// What the file was taken for.
    pub(crate) taken_for: String,
    pub(crate) charset: String,
    pub(crate) rows: Rows,
    pub(crate) products: Products,
    pub(crate) variants: u64,
    pub(crate) stock: Stock,
    pub(crate) notes: Vec<Note>,
    pub(crate) rejects: Vec<RejectTold>,
    pub(crate) rejects_file: Option<PathBuf>,
}

/// total = taken + in_part + skipped + rejected.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Rows {
    pub(crate) total: u64,
    pub(crate) taken: u64,
    pub(crate) in_part: u64,
    pub(crate) skipped: u64,
    pub(crate) rejected: u64,
    pub(crate) skipped_by_reason: BTreeMap<String, u64>,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Products {
    pub(crate) found: u64,
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) unchanged: u64,
    pub(crate) refused: u64,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Stock {
    pub(crate) levels: u64,
    pub(crate) set: u64,
    pub(crate) unchanged: u64,
    pub(crate) refused: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Note {
    pub(crate) note: String,
    pub(crate) count: u64,
    pub(crate) examples: Vec<Example>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Example {
    pub(crate) line: u64,
    pub(crate) what: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct RejectTold {
    pub(crate) line: u64,
    pub(crate) column: String,
    pub(crate) value: String,
    pub(crate) reason: String,
}

impl Summary {
    pub(super) fn new(sources: &Sources, dry_run: bool) -> Self {
        let files = sources.files.iter().map(FileSummary::new).collect();
        Self { dry_run, files, left_out: sources.left_out.clone(), brands_created: 0, locations_created: 0 }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        let is_clean = self.files.iter().all(|file| file.rejects.is_empty());
        if is_clean { ExitCode::SUCCESS } else { ExitCode::from(EXIT_REJECTED) }
    }

    /// Prints it on stdout: one JSON document, or text.
    pub(crate) fn print(&self, output: Output) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        if output.is_json() {
            serde_json::to_writer(&mut out, self)?;
            return writeln!(out);
        }
        for file in &self.files {
            file.print(&mut out, self.dry_run)?;
        }
        for path in &self.left_out {
            writeln!(out, "{}: left out: the rejects of an earlier import", path.display())?;
        }
        if self.dry_run {
            return writeln!(out, "dry run: nothing was sent and nothing written");
        }
        writeln!(out, "brands created: {}, locations created: {}", self.brands_created, self.locations_created)
    }
}

impl FileSummary {
    fn new(source: &Source) -> Self {
        let feed = &source.feed;
        Self {
            file: source.path.clone(),
            taken_for: feed.layout.to_string(),
            charset: feed.charset.to_string(),
            rows: Rows::default(),
            products: Products { found: feed.products.len() as u64, ..Products::default() },
            variants: feed.products.iter().map(|product| product.variants.len() as u64).sum(),
            stock: Stock { levels: feed.stock.len() as u64, ..Stock::default() },
            notes: Vec::new(),
            rejects: Vec::new(),
            rejects_file: None,
        }
    }

    /// Fills in what is known only at the end: the server's refusals are in the books by now.
    pub(super) fn close(&mut self, source: &Source) {
        self.rows = Rows::of(&source.feed);
        self.notes = notes_of(&source.feed);
        self.rejects = rejects_of(&source.feed);
    }

    fn print(&self, out: &mut impl std::io::Write, dry_run: bool) -> std::io::Result<()> {
        let Self { rows, products, stock, .. } = self;
        writeln!(out, "{}: taken for a {} in {}", self.file.display(), self.taken_for, self.charset)?;
        let skipped: Vec<String> =
            rows.skipped_by_reason.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        let skipped = if skipped.is_empty() { String::new() } else { format!(" ({})", skipped.join(", ")) };
        writeln!(
            out,
            "  rows: {} = {} taken + {} in part + {} skipped{skipped} + {} rejected",
            rows.total, rows.taken, rows.in_part, rows.skipped, rows.rejected
        )?;
        if products.found > 0 {
            write!(out, "  products: {} with {} variants", products.found, self.variants)?;
            if !dry_run {
                let Products { created, updated, unchanged, refused, .. } = products;
                write!(out, ": {created} created, {updated} updated, {unchanged} unchanged, {refused} refused")?;
            }
            writeln!(out)?;
        }
        write!(out, "  stock: {} levels", stock.levels)?;
        if !dry_run {
            write!(out, ": {} set, {} unchanged, {} refused", stock.set, stock.unchanged, stock.refused)?;
        }
        writeln!(out)?;
        for note in &self.notes {
            let told: Vec<String> = note.examples.iter().map(Example::to_string).collect();
            writeln!(out, "  note: {} ({}x: {})", note.note, note.count, told.join("; "))?;
        }
        for reject in self.rejects.iter().take(REJECTS_PRINTED_MAX) {
            writeln!(out, "  rejected: {reject}")?;
        }
        if let Some(more) = self.rejects.len().checked_sub(REJECTS_PRINTED_MAX).filter(|&more| more > 0) {
            writeln!(out, "  rejected: and {more} more")?;
        }
        match &self.rejects_file {
            Some(path) => writeln!(out, "  all rejects are in {}", path.display()),
            None => Ok(()),
        }
    }
}

impl Rows {
    fn of(feed: &Feed) -> Self {
        let mut rows = Self::default();
        for fate in feed.books.fates() {
            rows.total += 1;
            match fate {
                Fate::Taken => rows.taken += 1,
                Fate::InPart => rows.in_part += 1,
                Fate::Rejected => rows.rejected += 1,
                Fate::Skipped(skip) => {
                    rows.skipped += 1;
                    *rows.skipped_by_reason.entry(skip.to_string()).or_default() += 1;
                }
            }
        }
        rows
    }
}

fn notes_of(feed: &Feed) -> Vec<Note> {
    let note = |(remark, remarked): (_, &inventory_svc::domain::feed::Remarked)| {
        let example = |(line, what): &(u64, String)| Example { line: *line, what: what.clone() };
        let remark: inventory_svc::domain::feed::Remark = remark;
        Note {
            note: remark.to_string(),
            count: remarked.count,
            examples: remarked.examples.iter().map(example).collect(),
        }
    };
    feed.books.remarks().map(note).collect()
}

fn rejects_of(feed: &Feed) -> Vec<RejectTold> {
    let told = feed.books.rejects().iter().take(REJECTS_TOLD_MAX).map(|reject| RejectTold {
        line: feed.table.rows[reject.row].line,
        column: reject.column.clone(),
        value: reject.value.clone(),
        reason: reject.fault.to_string(),
    });
    told.collect()
}

impl std::fmt::Display for Example {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.what.is_empty() {
            write!(f, "line {}", self.line)
        } else {
            write!(f, "line {}: {}", self.line, self.what)
        }
    }
}

impl std::fmt::Display for RejectTold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}", self.line)?;
        if !self.column.is_empty() {
            write!(f, ", {} {:?}", self.column, self.value)?;
        }
        write!(f, ": {}", self.reason)
    }
}
