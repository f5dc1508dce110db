//! Fields of a request, parsed; what is wrong with one is told with its path.

use std::fmt::Display;

use holdfast_platform::status::Refusal;

/// A field that is missing, malformed or out of bounds, by its path inside the message being parsed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Invalid {
    path: String,
    problem: String,
}

impl Invalid {
    pub(super) fn new(field: &str, problem: impl Display) -> Self {
        Self { path: field.to_owned(), problem: problem.to_string() }
    }

    /// The value being parsed itself; its holder adds where it is.
    pub(super) fn here(problem: impl Display) -> Self {
        Self::new("", problem)
    }

    /// The same, seen from the message that has this one as its field.
    #[must_use]
    pub(super) fn within(self, field: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        Self { path: format!("{field}{dot}{}", self.path), problem: self.problem }
    }

    /// The same, seen from the list that has this one as an element.
    #[must_use]
    pub(super) fn at(self, index: usize) -> Self {
        self.within(&format!("[{index}]"))
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self::invalid(invalid.path, invalid.problem)
    }
}

/// Parses a text field.
pub(super) fn parse<T>(field: &str, text: String) -> Result<T, Invalid>
where
    T: TryFrom<String>,
    T::Error: Display,
{
    T::try_from(text).map_err(|problem| Invalid::new(field, problem))
}

/// Parses every element of a list field.
pub(super) fn parse_each<T, P>(
    field: &str,
    items: Vec<P>,
    parse: impl Fn(P) -> Result<T, Invalid>,
) -> Result<Vec<T>, Invalid> {
    let parsed = items.into_iter().enumerate().map(|(index, item)| parse(item).map_err(|invalid| invalid.at(index)));
    parsed.collect::<Result<_, _>>().map_err(|invalid| invalid.within(field))
}

/// A field whose message must be there.
pub(super) fn required<T>(field: &str, message: Option<T>) -> Result<T, Invalid> {
    message.ok_or_else(|| Invalid::new(field, "must be given"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_from_the_outermost_message() {
        let invalid = Invalid::here("is odd").at(2).within("variants").within("product");
        assert_eq!(invalid, Invalid::new("product.variants[2]", "is odd"));
        let invalid = Invalid::new("sku", "is odd").at(2).within("variants");
        assert_eq!(invalid, Invalid::new("variants[2].sku", "is odd"));
    }
}
