//! Finds the route of a path: literals before variables, declared verbs before names that only look like one.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use holdfast_contracts::Verb;
use percent_encoding::percent_decode_str;

use super::template::{Segment, Template};

/// Templates of one shape and HTTP method lead to one target only.
#[derive(Debug)]
pub(crate) struct Tree<T> {
    root: Node,
    /// Every custom verb declared: nothing else after a `:` is one.
    verbs: BTreeSet<String>,
    targets: Vec<T>,
}

#[derive(Debug, Default)]
struct Node {
    literals: BTreeMap<String, Node>,
    any: Option<Box<Node>>,
    rest: Option<Box<Node>>,
    leaves: Vec<Leaf>,
}

#[derive(Debug)]
struct Leaf {
    verb: Option<String>,
    method: Verb,
    target: usize,
}

/// What a path leads to.
#[derive(Debug)]
pub(crate) enum Found<'a, T> {
    /// The target, and the path's segments, decoded.
    Target(&'a T, Vec<Cow<'a, str>>),
    /// The path is known, but only for these methods.
    OtherMethods(BTreeSet<Verb>),
    Nothing,
    /// A percent-encoding that is none, or none of UTF-8.
    BadEncoding,
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self { root: Node::default(), verbs: BTreeSet::new(), targets: Vec::new() }
    }
}

impl<T> Tree<T> {
    /// Adds a target, or says which one is there already.
    pub(crate) fn insert(&mut self, method: Verb, template: &Template, target: T) -> Result<(), &T> {
        let mut node = &mut self.root;
        for segment in &template.segments {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::Any => node.any.get_or_insert_default(),
                Segment::Rest => node.rest.get_or_insert_default(),
            };
        }
        if let Some(leaf) = node.leaves.iter().find(|leaf| leaf.method == method && leaf.verb == template.verb) {
            return Err(&self.targets[leaf.target]);
        }
        node.leaves.push(Leaf { verb: template.verb.clone(), method, target: self.targets.len() });
        self.verbs.extend(template.verb.clone());
        self.targets.push(target);
        Ok(())
    }

    /// Finds a raw path's target. `/A:adjust` is the verb `adjust` on `A` where some route of this method says so,
    /// else the name `A:adjust`; `%3A` never begins a verb.
    pub(crate) fn find<'a>(&'a self, method: Verb, path: &'a str) -> Found<'a, T> {
        let Some(path) = path.strip_prefix('/') else { return Found::Nothing };
        let mut raw: Vec<&str> = path.split('/').collect();
        let mut allowed = BTreeSet::new();

        let last = raw.len() - 1;
        let split = raw[last].rsplit_once(':').filter(|(_, verb)| self.verbs.contains(*verb));
        let whole = raw[last];
        let readings = split.map(|(name, verb)| (name, Some(verb))).into_iter().chain([(whole, None)]);
        for (name, verb) in readings {
            raw[last] = name;
            let Some(segments) = raw.iter().map(|&segment| decode(segment)).collect::<Option<Vec<_>>>() else {
                return Found::BadEncoding;
            };
            if let Some(target) = self.root.find(&segments, method, verb, &mut allowed) {
                return Found::Target(&self.targets[target], segments);
            }
        }
        if allowed.is_empty() { Found::Nothing } else { Found::OtherMethods(allowed) }
    }

    pub(crate) fn targets(&self) -> &[T] {
        &self.targets
    }
}

impl Node {
    fn find(
        &self,
        segments: &[Cow<'_, str>],
        method: Verb,
        verb: Option<&str>,
        allowed: &mut BTreeSet<Verb>,
    ) -> Option<usize> {
        let Some((first, others)) = segments.split_first() else {
            return self.leaf(method, verb, allowed);
        };
        if let Some(node) = self.literals.get(first.as_ref())
            && let Some(target) = node.find(others, method, verb, allowed)
        {
            return Some(target);
        }
        if first.is_empty() {
            return None;
        }
        if let Some(node) = &self.any
            && let Some(target) = node.find(others, method, verb, allowed)
        {
            return Some(target);
        }
        self.rest.as_ref()?.leaf(method, verb, allowed)
    }

    fn leaf(&self, method: Verb, verb: Option<&str>, allowed: &mut BTreeSet<Verb>) -> Option<usize> {
        let mut found = None;
        for leaf in self.leaves.iter().filter(|leaf| leaf.verb.as_deref() == verb) {
            allowed.insert(leaf.method);
            if leaf.method == method {
                found = Some(leaf.target);
            }
        }
        found
    }
}

fn decode(segment: &str) -> Option<Cow<'_, str>> {
    let mut rest = segment;
    while let Some(at) = rest.find('%') {
        let digits = rest.get(at + 1..at + 3)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        rest = &rest[at + 3..];
    }
    percent_decode_str(segment).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree<&'static str> {
        let mut tree = Tree::default();
        for (method, template) in [
            (Verb::Get, "/v1/stock/{sku}"),
            (Verb::Post, "/v1/stock:batchGet"),
            (Verb::Get, "/v1/stock:watch"),
            (Verb::Post, "/v1/stock/{sku}:adjust"),
            (Verb::Get, "/v1/stock/{sku}/movements"),
            (Verb::Get, "/v1/stock/all/movements"),
            (Verb::Get, "/v1/files/{path=**}"),
        ] {
            tree.insert(method, &Template::parse(template).expect("valid"), template).expect("no conflict");
        }
        tree
    }

    fn check(method: Verb, path: &str, expect: &str) {
        let tree = tree();
        let found = match tree.find(method, path) {
            Found::Target(target, segments) => format!("{target} {}", segments[2..].join("|")),
            Found::OtherMethods(verbs) => verbs.iter().map(|verb| verb.as_str()).collect::<Vec<_>>().join(","),
            Found::Nothing => "nothing".to_owned(),
            Found::BadEncoding => "bad encoding".to_owned(),
        };
        assert_eq!(found.trim_end(), expect, "{path}");
    }

    #[test]
    fn only_declared_verbs_are_verbs() {
        check(Verb::Post, "/v1/stock/A:adjust", "/v1/stock/{sku}:adjust A");
        check(Verb::Post, "/v1/stock/A:B:adjust", "/v1/stock/{sku}:adjust A:B");
        check(Verb::Get, "/v1/stock/A:B", "/v1/stock/{sku} A:B");
        check(Verb::Get, "/v1/stock/A:adjust", "/v1/stock/{sku} A:adjust");
        check(Verb::Get, "/v1/stock/A%3Aadjust", "/v1/stock/{sku} A:adjust");
        check(Verb::Post, "/v1/stock/A%3Aadjust", "GET");
        check(Verb::Post, "/v1/stock/A:other", "GET");
        check(Verb::Get, "/v1/stock:watch", "/v1/stock:watch");
        check(Verb::Get, "/v1/stock:batchGet", "POST");
        check(Verb::Get, "/v1/stock:other", "nothing");
    }

    #[test]
    fn names_take_any_character_when_encoded() {
        check(Verb::Get, "/v1/stock/A%2FB%20c", "/v1/stock/{sku} A/B c");
        check(Verb::Get, "/v1/stock/A%2FB/movements", "/v1/stock/{sku}/movements A/B|movements");
        check(Verb::Get, "/v1/stock/%E9%9D%B4-42", "/v1/stock/{sku} 靴-42");
        for bad in ["/v1/stock/%", "/v1/stock/%4", "/v1/stock/%zz", "/v1/stock/%ff", "/v1/stock/%é"] {
            check(Verb::Get, bad, "bad encoding");
        }
    }

    #[test]
    fn literals_come_before_variables() {
        check(Verb::Get, "/v1/stock/all/movements", "/v1/stock/all/movements all|movements");
        check(Verb::Get, "/v1/stock/all", "/v1/stock/{sku} all");
        check(Verb::Get, "/v1/files/a/b", "/v1/files/{path=**} a|b");
        for path in ["/v1/stock/", "/v1/stock", "/v1/stock//movements", "/", "", "/v1/stock/A/", "/v1/files"] {
            check(Verb::Get, path, "nothing");
        }
    }

    #[test]
    fn one_shape_has_one_target() {
        let mut tree = tree();
        let other = Template::parse("/v1/stock/{id}").expect("valid");
        assert_eq!(tree.insert(Verb::Get, &other, "new"), Err(&"/v1/stock/{sku}"));
        assert_eq!(tree.insert(Verb::Put, &other, "new"), Ok(()));
    }
}
