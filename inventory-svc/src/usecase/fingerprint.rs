//! Tells a repetition from another request under the same id.

use xxhash_rust::xxh3::Xxh3;

/// Hashes a request's fields, each with its length so that neighbours cannot run into each other. Stored, so the
/// encoding never changes.
#[derive(Clone, Default)]
pub(crate) struct Fingerprint(Xxh3);

impl Fingerprint {
    #[must_use]
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
        self
    }

    #[must_use]
    pub(crate) fn number(mut self, number: i64) -> Self {
        self.0.update(&number.to_le_bytes());
        self
    }

    #[must_use]
    pub(crate) fn optional(self, number: Option<i64>) -> Self {
        match number {
            Some(number) => self.number(1).number(number),
            None => self.number(0),
        }
    }

    pub(crate) fn finish(self) -> i64 {
        i64::from_le_bytes(self.0.digest().to_le_bytes())
    }
}
