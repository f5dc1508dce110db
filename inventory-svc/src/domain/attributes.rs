//! Free attributes: fabric, vintage, ingredients.

use serde_json::{Map, Value};

/// Why an object cannot be kept as attributes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttributesError {
    #[error("has {bytes} bytes of JSON: at most {bytes_max} are accepted", bytes_max = Attributes::BYTES_MAX)]
    TooLarge { bytes: usize },
    #[error("is nested deeper than {depth_max} levels", depth_max = Attributes::DEPTH_MAX)]
    TooDeep,
    #[error("has a NUL character, which cannot be stored")]
    Nul,
}

/// A JSON object of bounded size and depth.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Attributes(Map<String, Value>);

impl Attributes {
    /// As compact JSON.
    pub const BYTES_MAX: usize = 64 << 10;
    /// Objects and arrays within each other, the outermost included.
    pub const DEPTH_MAX: usize = 16;

    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

impl TryFrom<Map<String, Value>> for Attributes {
    type Error = AttributesError;

    fn try_from(map: Map<String, Value>) -> Result<Self, AttributesError> {
        check_object(&map, 1)?;
        let bytes = serde_json::to_string(&map).expect("a JSON object is JSON").len();
        if bytes > Self::BYTES_MAX {
            return Err(AttributesError::TooLarge { bytes });
        }
        Ok(Self(map))
    }
}

fn check_object(map: &Map<String, Value>, depth: usize) -> Result<(), AttributesError> {
    if depth > Attributes::DEPTH_MAX {
        return Err(AttributesError::TooDeep);
    }
    map.iter().try_for_each(|(key, value)| {
        check_text(key)?;
        check_value(value, depth)
    })
}

fn check_value(value: &Value, depth: usize) -> Result<(), AttributesError> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        Value::String(text) => check_text(text),
        Value::Array(_) if depth == Attributes::DEPTH_MAX => Err(AttributesError::TooDeep),
        Value::Array(items) => items.iter().try_for_each(|item| check_value(item, depth + 1)),
        Value::Object(map) => check_object(map, depth + 1),
    }
}

fn check_text(text: &str) -> Result<(), AttributesError> {
    if text.contains('\0') { Err(AttributesError::Nul) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: Value) -> Result<Attributes, AttributesError> {
        let Value::Object(map) = value else { panic!("attributes are an object") };
        map.try_into()
    }

    fn nested(depth: usize, wrap: fn(Value) -> Value) -> Value {
        json!({ "a": (1..depth).fold(json!(1), |inner, _| wrap(inner)) })
    }

    #[test]
    fn depth_counts_objects_and_arrays() {
        for wrap in [|inner| json!([inner]), |inner| json!({ "a": inner })] {
            assert!(parse(nested(Attributes::DEPTH_MAX, wrap)).is_ok());
            assert_eq!(parse(nested(Attributes::DEPTH_MAX + 1, wrap)), Err(AttributesError::TooDeep));
        }
    }

    #[test]
    fn size_is_bounded_as_compact_json() {
        let text = |bytes: usize| json!({ "a": "x".repeat(bytes - r#"{"a":""}"#.len()) });
        assert!(parse(text(Attributes::BYTES_MAX)).is_ok());
        let bytes = Attributes::BYTES_MAX + 1;
        assert_eq!(parse(text(bytes)), Err(AttributesError::TooLarge { bytes }));
    }

    #[test]
    fn nul_is_refused_in_names_and_values() {
        for bad in [json!({ "a\0": 1 }), json!({ "a": ["b\0"] })] {
            assert_eq!(parse(bad), Err(AttributesError::Nul));
        }
    }
}
