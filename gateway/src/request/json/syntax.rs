//! JSON text to a tree, stricter than serde_json's own: no repeated members, and a bound on nesting.

use std::cell::Cell;
use std::fmt;

use holdfast_contracts::common::v1::Reason;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value as Json};

use crate::problem::Problem;

/// How deep arrays and objects nest. Protobuf readers stop at 100 messages, and a level of a Struct is three.
const DEPTH_MAX: usize = 32;

/// Parses a body, or says at which line and column it stops being JSON.
pub(super) fn parse(body: &[u8]) -> Result<Json, Problem> {
    let depth = Cell::new(0);
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let parsed = Tree(&depth).deserialize(&mut deserializer).and_then(|json| deserializer.end().map(|()| json));
    parsed.map_err(|cause| {
        Problem::new(Reason::MalformedBody, format!("the body is not valid JSON: {cause}"))
            .with("line", cause.line())
            .with("column", cause.column())
    })
}

#[derive(Clone, Copy)]
struct Tree<'d>(&'d Cell<usize>);

impl Tree<'_> {
    fn descend<T, E: Error>(self, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        if self.0.get() == DEPTH_MAX {
            return Err(E::custom(format_args!("nested more than {DEPTH_MAX} deep")));
        }
        self.0.set(self.0.get() + 1);
        let done = read();
        self.0.set(self.0.get() - 1);
        done
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        Number::from_f64(value).map(Json::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        self.descend(|| {
            let mut array = Vec::new();
            while let Some(item) = items.next_element_seed(self)? {
                array.push(item);
            }
            Ok(Json::Array(array))
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        self.descend(|| {
            let mut object = Map::new();
            while let Some(name) = members.next_key::<String>()? {
                if object.contains_key(&name) {
                    return Err(A::Error::custom(format_args!("member {name:?} is given twice")));
                }
                object.insert(name, members.next_value_seed(self)?);
            }
            Ok(Json::Object(object))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_says_where() {
        let check = |body: &str, expect: &str| {
            let problem = parse(body.as_bytes()).expect_err(body);
            assert!(problem.detail.contains(expect), "{body}: {}", problem.detail);
        };
        check("{\"a\": 1,\n \"b\" 2}", "line 2 column");
        check("{\"a\": 1, \"a\": 2}", "\"a\" is given twice");
        check("", "EOF");
        check("{} x", "trailing");
        check("{\"a\": 1e999}", "out of range");
        check(&("[".repeat(40) + &"]".repeat(40)), "nested more than 32 deep");
        check(&"[".repeat(1 << 20), "nested more than 32 deep");
        assert!(parse(b"{\"a\": \"\xff\"}").is_err());
        assert!(parse((("[").repeat(32) + &"]".repeat(32)).as_bytes()).is_ok());
    }
}
