//! `google.protobuf.Struct` and JSON. Struct knows only doubles: a number without a fraction is kept as an integer, so
//! that a vintage is 2019 and not 2019.0.

use prost_types::value::Kind;
use prost_types::{ListValue, Struct};
use serde_json::{Map, Number, Value};

use super::field::Invalid;
use crate::domain::attributes::Attributes;

/// 2^63 and 2^64: the first doubles beyond i64 and u64.
const BEYOND_I64: f64 = 9_223_372_036_854_775_808.0;
const BEYOND_U64: f64 = 18_446_744_073_709_551_616.0;

/// The `attributes` field of a message; none are none.
pub(super) fn parse_attributes(attributes: Option<Struct>) -> Result<Attributes, Invalid> {
    let parsed =
        parse_struct(attributes.unwrap_or_default()).and_then(|map| Attributes::try_from(map).map_err(Invalid::here));
    parsed.map_err(|invalid| invalid.within("attributes"))
}

fn parse_struct(object: Struct) -> Result<Map<String, Value>, Invalid> {
    let mut map = Map::new();
    for (key, value) in object.fields {
        let value = parse_value(value).map_err(|invalid| invalid.within(&key))?;
        map.insert(key, value);
    }
    Ok(map)
}

fn parse_value(value: prost_types::Value) -> Result<Value, Invalid> {
    match value.kind {
        None => Err(Invalid::here("must have a value; null is one")),
        Some(Kind::NullValue(_)) => Ok(Value::Null),
        Some(Kind::BoolValue(flag)) => Ok(Value::Bool(flag)),
        Some(Kind::NumberValue(number)) => parse_number(number).map(Value::Number),
        Some(Kind::StringValue(text)) => Ok(Value::String(text)),
        Some(Kind::StructValue(object)) => parse_struct(object).map(Value::Object),
        Some(Kind::ListValue(list)) => super::field::parse_each("", list.values, parse_value).map(Value::Array),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers inside the type's range")]
fn parse_number(number: f64) -> Result<Number, Invalid> {
    if number.fract() != 0.0 || !(-BEYOND_I64..BEYOND_U64).contains(&number) {
        Number::from_f64(number).ok_or_else(|| Invalid::here(format!("must be a finite number, not {number}")))
    } else if number < BEYOND_I64 {
        Ok((number as i64).into())
    } else {
        Ok((number as u64).into())
    }
}

/// None where there are none: both read the same.
pub(super) fn to_pb(attributes: Attributes) -> Option<Struct> {
    let map = attributes.into_map();
    (!map.is_empty()).then(|| struct_of(map))
}

fn struct_of(map: Map<String, Value>) -> Struct {
    Struct { fields: map.into_iter().map(|(key, value)| (key, value_of(value))).collect() }
}

fn value_of(value: Value) -> prost_types::Value {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(flag) => Kind::BoolValue(flag),
        Value::Number(number) => Kind::NumberValue(number.as_f64().expect("every JSON number has a nearest double")),
        Value::String(text) => Kind::StringValue(text),
        Value::Array(items) => Kind::ListValue(ListValue { values: items.into_iter().map(value_of).collect() }),
        Value::Object(map) => Kind::StructValue(struct_of(map)),
    };
    kind.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(number: f64) -> prost_types::Value {
        Kind::NumberValue(number).into()
    }

    fn parse(value: prost_types::Value) -> Result<Attributes, Invalid> {
        parse_attributes(Some(Struct { fields: [("a".to_owned(), value)].into() }))
    }

    #[track_caller]
    fn check(given: f64, then: &str) {
        let attributes = parse(number(given)).unwrap();
        assert_eq!(Value::Object(attributes.into_map()).to_string(), format!(r#"{{"a":{then}}}"#));
    }

    #[test]
    fn whole_numbers_are_written_as_integers() {
        check(2019.0, "2019");
        check(-0.0, "0");
        check(13.5, "13.5");
        check(-BEYOND_I64, "-9223372036854775808");
        check(BEYOND_I64, "9223372036854775808");
        check(BEYOND_U64, "1.8446744073709552e+19");
    }

    #[test]
    fn what_json_cannot_say_is_refused_with_its_place() {
        let list = |value| Kind::ListValue(ListValue { values: vec![number(1.0), value] }).into();
        assert_eq!(
            parse(list(number(f64::NAN))),
            Err(Invalid::new("attributes.a[1]", "must be a finite number, not NaN"))
        );
        assert_eq!(
            parse(list(number(f64::INFINITY))),
            Err(Invalid::new("attributes.a[1]", "must be a finite number, not inf"))
        );
        assert_eq!(
            parse(prost_types::Value { kind: None }),
            Err(Invalid::new("attributes.a", "must have a value; null is one"))
        );
    }

    proptest! {
        #[test]
        fn every_finite_number_keeps_its_value(given in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO) {
            let attributes = to_pb(parse(number(given)).unwrap()).unwrap();
            prop_assert_eq!(&attributes.fields["a"], &number(given));
        }
    }
}
