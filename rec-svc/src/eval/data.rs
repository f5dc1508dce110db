//! Readers of data files. A bad file is named with the line at fault; nothing is guessed.

pub(super) mod beauty;
pub(super) mod journey;
pub(super) mod log;
pub(super) mod serenade;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

/// Why a data file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    #[error("{} cannot be read: {cause}", path.display())]
    Read { path: PathBuf, cause: std::io::Error },
    #[error("{} line {line}: {problem}", path.display())]
    Line { path: PathBuf, line: u64, problem: String },
    #[error("{}: {problem}", path.display())]
    File { path: PathBuf, problem: String },
}

/// Rows of a delimited file, unpacked where its name ends in `.gz`.
pub(super) struct Rows {
    path: PathBuf,
    reader: csv::Reader<Box<dyn Read>>,
    columns: Vec<usize>,
}

impl Rows {
    /// Finds the named columns in the header.
    pub(super) fn open(path: &Path, delimiter: u8, columns: &[&str]) -> Result<Self, DataError> {
        let read = |cause| DataError::Read { path: path.to_owned(), cause };
        let file = File::open(path).map_err(read)?;
        let packed = path.extension().is_some_and(|extension| extension == "gz");
        let source: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).quoting(delimiter == b',').from_reader(source);
        let header = reader.headers().map_err(|cause| line_error(path, &cause))?.clone();
        let find = |name: &&str| {
            let at = header.iter().position(|column| column.trim() == *name);
            at.ok_or_else(|| DataError::File { path: path.to_owned(), problem: format!("has no column {name}") })
        };
        Ok(Self { path: path.to_owned(), reader, columns: columns.iter().map(find).collect::<Result<_, _>>()? })
    }

    /// Hands each row's named columns on, in the order they were asked for.
    pub(super) fn each(mut self, mut take: impl FnMut(&[&str]) -> Result<(), String>) -> Result<(), DataError> {
        let mut record = csv::StringRecord::new();
        while self.reader.read_record(&mut record).map_err(|cause| line_error(&self.path, &cause))? {
            let fields: Vec<&str> = self.columns.iter().map(|at| record.get(*at).unwrap_or("")).collect();
            take(&fields).map_err(|problem| DataError::Line {
                path: self.path.clone(),
                line: record.position().map_or(0, csv::Position::line),
                problem,
            })?;
        }
        Ok(())
    }
}

fn line_error(path: &Path, cause: &csv::Error) -> DataError {
    match cause.position() {
        Some(at) => DataError::Line { path: path.to_owned(), line: at.line(), problem: cause.to_string() },
        None => DataError::File { path: path.to_owned(), problem: cause.to_string() },
    }
}

pub(super) fn read_text(path: &Path) -> Result<String, DataError> {
    std::fs::read_to_string(path).map_err(|cause| DataError::Read { path: path.to_owned(), cause })
}

/// Parses one field, naming it where it is bad.
pub(super) fn field<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.trim().parse().map_err(|problem| format!("{name} {text:?}: {problem}"))
}
