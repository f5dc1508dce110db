//! Field values written as plain text: in paths, queries and headers.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use prost_reflect::{DynamicMessage, EnumDescriptor, Kind, MessageDescriptor, Value};

use crate::route::is_wrapper;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// Reads a value of a kind, or says what it must be.
pub(crate) fn parse(kind: &Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::String => Ok(Value::String(text.to_owned())),
        Kind::Bool => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("must be true or false".to_owned()),
        },
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => integer(text, Value::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => integer(text, Value::I64),
        Kind::Uint32 | Kind::Fixed32 => integer(text, Value::U32),
        Kind::Uint64 | Kind::Fixed64 => integer(text, Value::U64),
        Kind::Double => float(text).map(Value::F64),
        Kind::Float => float(text).and_then(narrow).map(Value::F32),
        Kind::Bytes => bytes(text),
        Kind::Enum(declared) => enum_name(declared, text)
            .or_else(|problem| text.parse().ok().and_then(|number| enum_number(declared, number)).ok_or(problem)),
        Kind::Message(message) if is_wrapper(message) => {
            let field = message.get_field_by_name("value").expect("every wrapper has a value");
            let mut wrapper = DynamicMessage::new(message.clone());
            wrapper.set_field(&field, parse(&field.kind(), text)?);
            Ok(Value::Message(wrapper))
        }
        Kind::Message(message) => well_known(message, serde_json::Value::String(text.to_owned())),
    }
}

/// A decimal integer of the target's range.
pub(super) fn integer<T: std::str::FromStr>(text: &str, wrap: fn(T) -> Value) -> Result<Value, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("must be an integer".to_owned());
    }
    text.parse().map(wrap).map_err(|_| out_of_range::<T>(text))
}

pub(super) fn out_of_range<T>(number: impl std::fmt::Display) -> String {
    format!("is out of range: {number} does not fit {} bits", size_of::<T>() * 8)
}

pub(super) fn float(text: &str) -> Result<f64, String> {
    match text {
        "NaN" => Ok(f64::NAN),
        "Infinity" => Ok(f64::INFINITY),
        "-Infinity" => Ok(f64::NEG_INFINITY),
        // Rust would also take "inf" and "nan", and make an infinity of 1e999.
        _ => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            Ok(_) | Err(_) => Err("must be a number".to_owned()),
        },
    }
}

pub(super) fn narrow(number: f64) -> Result<f32, String> {
    #[expect(clippy::cast_possible_truncation, reason = "what does not fit becomes infinite and is refused")]
    let narrow = number as f32;
    if number.is_finite() && narrow.is_infinite() {
        Err(out_of_range::<f32>(format_args!("{number:e}")))
    } else {
        Ok(narrow)
    }
}

pub(super) fn bytes(text: &str) -> Result<Value, String> {
    BASE64
        .decode(text)
        .or_else(|_| BASE64_URL.decode(text))
        .map(|bytes| Value::Bytes(bytes.into()))
        .map_err(|_| "must be base64".to_owned())
}

pub(super) fn enum_name(declared: &EnumDescriptor, name: &str) -> Result<Value, String> {
    match declared.get_value_by_name(name) {
        Some(value) => Ok(Value::EnumNumber(value.number())),
        None => {
            let names: Vec<_> =
                declared.values().filter(|value| value.number() != 0).map(|value| value.name().to_owned()).collect();
            Err(format!("must be one of {}", names.join(", ")))
        }
    }
}

pub(super) fn enum_number(declared: &EnumDescriptor, number: i32) -> Option<Value> {
    declared.get_value(number).map(|value| Value::EnumNumber(value.number()))
}

/// A message with a JSON form of its own: times, durations, structs and the like.
pub(super) fn well_known(message: &MessageDescriptor, json: serde_json::Value) -> Result<Value, String> {
    DynamicMessage::deserialize(message.clone(), json).map(Value::Message).map_err(|cause| match message.full_name() {
        "google.protobuf.Timestamp" => "must be a time such as \"2030-01-31T12:00:00Z\"".to_owned(),
        "google.protobuf.Duration" => "must be a duration in seconds such as \"600s\"".to_owned(),
        "google.protobuf.FieldMask" => "must be field names such as \"title,brandId\"".to_owned(),
        "google.protobuf.Struct" => "must be an object".to_owned(),
        name => format!("is not a {name}: {cause}"),
    })
}
