//! As much of PromQL as it takes to see which series an expression is about.

/// Series asked for: a metric, and the whole selector with its matchers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Selector {
    pub(crate) metric: String,
    /// The labels that its matchers name.
    pub(crate) labels: Vec<String>,
    pub(crate) text: String,
}

/// Operators that are words.
const OPERATORS: [&str; 4] = ["and", "or", "unless", "bool"];
/// What is followed by a list of labels; `sum by (job) (…)` has one between the function and its argument.
const LISTED: [&str; 6] = ["by", "on", "without", "ignoring", "group_left", "group_right"];

/// Every selector of an expression, and every label that it groups or matches by.
pub(crate) fn read(expression: &str) -> (Vec<Selector>, Vec<String>) {
    let (mut selectors, mut grouped) = (Vec::new(), Vec::new());
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let word_end = rest.find(|c: char| !is_of_name(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(word_end);
        rest = match first {
            '[' => until(rest, ']').1,
            _ if word.is_empty() => &rest[first.len_utf8()..],
            _ if first.is_ascii_digit() || OPERATORS.contains(&word) => behind,
            _ if LISTED.contains(&word) => {
                let (list, behind) = until(behind, ')');
                let labels = list.split(['(', ',']).map(str::trim).filter(|label| !label.is_empty());
                grouped.extend(labels.map(str::to_owned));
                behind
            }
            _ if is_function(behind) => behind,
            _ => {
                let (matchers, behind) = if behind.starts_with('{') { until(behind, '}') } else { ("{", behind) };
                let text = if matchers == "{" { word.to_owned() } else { format!("{word}{matchers}}}") };
                selectors.push(Selector { metric: word.to_owned(), labels: labels(&matchers[1..]), text });
                behind
            }
        }
        .trim_start();
    }
    (selectors, grouped)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// Whether what stands before this takes arguments.
fn is_function(behind: &str) -> bool {
    let behind = behind.trim_start();
    let word = behind.split(|c: char| !is_of_name(c)).next().unwrap_or_default();
    behind.starts_with('(') || ["by", "without"].contains(&word)
}

/// What is before the first of these outside of quotes, and what is behind it.
fn until(text: &str, end: char) -> (&str, &str) {
    let mut is_quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            c if c == end && !is_quoted => return (&text[..at], &text[at + c.len_utf8()..]),
            _ => {}
        }
    }
    panic!("no {end} in {text}")
}

/// The names in `name="value",name=~"value"`.
fn labels(matchers: &str) -> Vec<String> {
    // Every second piece is a value; what is left of the others are names with their operators.
    let names = matchers.split('"').step_by(2).map(|piece| piece.trim_matches(|c: char| !is_of_name(c)));
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn selectors_are_found_wherever_they_stand() {
    let expression = r#"1 + sum by (job, le) (rate(a_total{x=~"b|c{}",y!="d"}[5m])) / on (job) group_left () holdfast:b:rate5m
        unless on (job) up > 6 * 3600 or absent(c{z="("})"#;
    let (selectors, grouped) = read(expression);
    let found: Vec<_> = selectors.iter().map(|selector| (selector.text.as_str(), selector.labels.join(" "))).collect();
    let wanted =
        [(r#"a_total{x=~"b|c{}",y!="d"}"#, "x y"), ("holdfast:b:rate5m", ""), ("up", ""), (r#"c{z="("}"#, "z")];
    assert_eq!(found, wanted.map(|(text, labels)| (text, labels.to_owned())));
    assert_eq!(grouped, ["job", "le", "job", "job"]);
}
