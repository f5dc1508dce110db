//! Scalars of protobuf JSON: 64-bit integers are strings or numbers, bytes are base64, enums are names.

use prost_reflect::{Kind, Value};
use serde_json::{Number, Value as Json};

use crate::request::text;

/// The largest integer every double up to it can tell from its neighbours.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Reads a scalar of a kind, or says what it must be.
pub(super) fn read(kind: &Kind, json: Json) -> Result<Value, String> {
    match (kind, json) {
        (Kind::String, Json::String(text)) => Ok(Value::String(text)),
        (Kind::Bytes, Json::String(text)) => text::bytes(&text),
        (Kind::Bool, Json::Bool(value)) => Ok(Value::Bool(value)),
        (Kind::Enum(declared), Json::String(name)) => text::enum_name(declared, &name),
        (Kind::Enum(declared), Json::Number(number)) => {
            let known = number.as_i64().and_then(|number| i32::try_from(number).ok());
            known.and_then(|number| text::enum_number(declared, number)).map_or_else(
                // The names are what people should write.
                || text::enum_name(declared, ""),
                Ok,
            )
        }
        (Kind::Double, Json::Number(number)) => Ok(Value::F64(number.as_f64().unwrap_or(f64::NAN))),
        (Kind::Double, Json::String(text)) => text::float(&text).map(Value::F64),
        (Kind::Float, Json::Number(number)) => text::narrow(number.as_f64().unwrap_or(f64::NAN)).map(Value::F32),
        (Kind::Float, Json::String(text)) => text::float(&text).and_then(text::narrow).map(Value::F32),
        (Kind::Int32 | Kind::Sint32 | Kind::Sfixed32, json) => integer(json, Value::I32),
        (Kind::Int64 | Kind::Sint64 | Kind::Sfixed64, json) => integer(json, Value::I64),
        (Kind::Uint32 | Kind::Fixed32, json) => integer(json, Value::U32),
        (Kind::Uint64 | Kind::Fixed64, json) => integer(json, Value::U64),
        (kind, json) => Err(format!("must be {}, not {}", expected(kind), type_name(&json))),
    }
}

fn integer<T>(json: Json, wrap: fn(T) -> Value) -> Result<Value, String>
where
    T: std::str::FromStr + TryFrom<i128>,
{
    match json {
        Json::String(text) => text::integer(&text, wrap),
        Json::Number(number) => {
            let whole = whole(&number)?;
            T::try_from(whole).map(wrap).map_err(|_| text::out_of_range::<T>(number))
        }
        json => Err(format!("must be an integer, not {}", type_name(&json))),
    }
}

/// The integer a JSON number is; `1.0` and `1e3` are integers too.
fn whole(number: &Number) -> Result<i128, String> {
    if let Some(whole) = number.as_i128() {
        return Ok(whole);
    }
    match number.as_f64() {
        Some(float) if float.fract() != 0.0 => Err(format!("must be an integer, not {number}")),
        #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is within the exact range")]
        Some(float) if float.abs() <= EXACT_MAX => Ok(float as i128),
        Some(_) | None => Err(format!("is out of range: {number}")),
    }
}

pub(super) fn type_name(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

fn expected(kind: &Kind) -> &'static str {
    match kind {
        Kind::String => "a string",
        Kind::Bytes => "a base64 string",
        Kind::Bool => "a boolean",
        Kind::Enum(_) => "a name",
        Kind::Double | Kind::Float => "a number",
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => "an integer",
        Kind::Uint32 | Kind::Fixed32 | Kind::Uint64 | Kind::Fixed64 => "an integer",
        Kind::Message(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, json: &str, expect: Result<Value, &str>) {
        let json = serde_json::from_str(json).expect("test JSON");
        assert_eq!(read(&kind, json), expect.map_err(str::to_owned));
    }

    #[test]
    fn integers_are_exact_or_refused() {
        check(Kind::Int64, "\"9223372036854775807\"", Ok(Value::I64(i64::MAX)));
        check(Kind::Int64, "-9223372036854775808", Ok(Value::I64(i64::MIN)));
        check(Kind::Int32, "1e3", Ok(Value::I32(1000)));
        check(Kind::Int32, "2.0", Ok(Value::I32(2)));
        check(Kind::Int32, "2147483648", Err("is out of range: 2147483648 does not fit 32 bits"));
        check(Kind::Int64, "9223372036854775808", Err("is out of range: 9223372036854775808 does not fit 64 bits"));
        check(Kind::Int64, "9223372036854775808.0", Err("is out of range: 9.223372036854776e+18"));
        check(Kind::Int32, "1.5", Err("must be an integer, not 1.5"));
        check(Kind::Int32, "\"1.5\"", Err("must be an integer"));
        check(Kind::Int32, "\"+1\"", Err("must be an integer"));
        check(Kind::Uint32, "-1", Err("is out of range: -1 does not fit 32 bits"));
        check(Kind::Int32, "true", Err("must be an integer, not a boolean"));
    }

    #[test]
    fn other_scalars_keep_their_type() {
        check(Kind::String, "\"a\"", Ok(Value::String("a".into())));
        check(Kind::String, "1", Err("must be a string, not a number"));
        check(Kind::Bool, "\"true\"", Err("must be a boolean, not a string"));
        check(Kind::Bytes, "\"_-8\"", Ok(Value::Bytes(vec![0xff, 0xef].into())));
        check(Kind::Double, "\"NaN2\"", Err("must be a number"));
        check(Kind::Float, "1e300", Err("is out of range: 1e300 does not fit 32 bits"));
    }
}
