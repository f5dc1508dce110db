//! `google.api.http` path templates:
//!
//! ```text
//! template = "/" segments [ ":" verb ]
//! segments = segment { "/" segment }
//! segment  = "*" | "**" | literal | "{" field [ "=" segments ] "}"
//! ```

/// Why a template cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("a template begins with `/`")]
    NoSlash,
    #[error("expected {expected} at `{rest}`")]
    Expected { expected: &'static str, rest: String },
    #[error("`**` must be the last segment")]
    RestNotLast,
    #[error("a variable within a variable")]
    Nested,
}

/// A template, flat: variables are ranges of its segments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) segments: Vec<Segment>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) verb: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(String),
    /// Exactly one segment, not empty.
    Any,
    /// One or more.
    Rest,
}

/// The field a range of segments is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    /// `sku`, `product.id`.
    pub(crate) field: String,
    pub(crate) segments: std::ops::Range<usize>,
    /// Whether the last of them is `**`.
    pub(crate) rest: bool,
}

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        let rest = text.strip_prefix('/').ok_or(TemplateError::NoSlash)?;
        let mut parser = Parser { rest, template: Self::default() };
        parser.segments(false)?;
        if parser.eat(":") {
            parser.template.verb = Some(parser.word("a verb")?.to_owned());
        }
        if !parser.rest.is_empty() {
            return Err(parser.expected("`/`, `:` or the end"));
        }
        let template = parser.template;
        match template.segments.iter().position(|segment| *segment == Segment::Rest) {
            Some(at) if at + 1 != template.segments.len() => Err(TemplateError::RestNotLast),
            Some(_) | None => Ok(template),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    template: Template,
}

impl<'a> Parser<'a> {
    fn segments(&mut self, in_variable: bool) -> Result<(), TemplateError> {
        loop {
            self.segment(in_variable)?;
            if !self.eat("/") {
                return Ok(());
            }
        }
    }

    fn segment(&mut self, in_variable: bool) -> Result<(), TemplateError> {
        let segment = if self.eat("**") {
            Segment::Rest
        } else if self.eat("*") {
            Segment::Any
        } else if self.eat("{") {
            return if in_variable { Err(TemplateError::Nested) } else { self.variable() };
        } else {
            Segment::Literal(self.word("a segment")?.to_owned())
        };
        self.template.segments.push(segment);
        Ok(())
    }

    fn variable(&mut self) -> Result<(), TemplateError> {
        let field = self.word("a field")?.to_owned();
        let start = self.template.segments.len();
        if self.eat("=") {
            self.segments(true)?;
        } else {
            self.template.segments.push(Segment::Any);
        }
        if !self.eat("}") {
            return Err(self.expected("`}`"));
        }
        let segments = start..self.template.segments.len();
        let rest = self.template.segments.last() == Some(&Segment::Rest);
        self.template.variables.push(Variable { field, segments, rest });
        Ok(())
    }

    /// What stands before the next punctuation mark.
    fn word(&mut self, expected: &'static str) -> Result<&'a str, TemplateError> {
        let end = self.rest.find(['/', ':', '{', '}', '*', '=']).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.expected(expected));
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(word)
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expected(&self, expected: &'static str) -> TemplateError {
        TemplateError::Expected { expected, rest: self.rest.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Segment {
        Segment::Literal(text.to_owned())
    }

    #[test]
    fn templates_are_read_as_google_writes_them() {
        let adjust = Template::parse("/v1/stock/{sku}:adjust").expect("valid");
        assert_eq!(adjust.segments, [literal("v1"), literal("stock"), Segment::Any]);
        assert_eq!(adjust.variables, [Variable { field: "sku".into(), segments: 2..3, rest: false }]);
        assert_eq!(adjust.verb.as_deref(), Some("adjust"));

        let nested = Template::parse("/v1/{name=shops/*/shelves/**}").expect("valid");
        assert_eq!(nested.segments, [literal("v1"), literal("shops"), Segment::Any, literal("shelves"), Segment::Rest]);
        assert_eq!(nested.variables, [Variable { field: "name".into(), segments: 1..5, rest: true }]);
    }

    #[test]
    fn what_is_no_template_says_where() {
        for bad in ["", "v1", "/", "/v1/", "/v1//a", "/{", "/{}", "/{a", "/a:", "/a:b:c", "/{a}b", "/**/a", "/{a={b}}"]
        {
            assert!(Template::parse(bad).is_err(), "{bad:?}");
        }
    }
}
