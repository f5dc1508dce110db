//! Ledger rows as Protobuf. What a service publishes is a table function whose columns are the message's fields, by
//! name: scalars as they are, enums by name or number, times as timestamptz, all else as jsonb in Protobuf's JSON form. So services know each
//! other's events by contract alone, and a column that is no field stops the reader, not its consumers later.

use std::sync::LazyLock;

use holdfast_contracts::DESCRIPTOR_SET;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use tokio_postgres::types::{Json, Type};
use tokio_postgres::{Column, Row};

static CONTRACTS: LazyLock<Option<DescriptorPool>> = LazyLock::new(|| DescriptorPool::decode(DESCRIPTOR_SET).ok());

/// Protobuf's wire types.
const VARINT: u32 = 0;
const LENGTH_DELIMITED: u32 = 2;

/// Writes one message from a row's columns.
#[derive(Debug)]
pub(super) struct Encoder {
    message: MessageDescriptor,
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    column: usize,
    number: u32,
    form: Form,
    json_name: String,
}

/// How a column becomes a field.
#[derive(Debug, Clone)]
enum Form {
    Text,
    Int64,
    Int32,
    Bool,
    EnumName(EnumDescriptor),
    Time,
    Json,
}

impl Encoder {
    /// Columns from `first` on are fields of the message of that name; the error says which is not.
    pub(super) fn new(message: &str, columns: &[Column], first: usize) -> Result<Self, String> {
        let pool = CONTRACTS.as_ref().ok_or("the contracts' own descriptors cannot be read")?;
        let message = pool.get_message_by_name(message).ok_or("the contracts have no such message")?;
        let fields = columns.iter().enumerate().skip(first).map(|(column, it)| {
            let field = message.get_field_by_name(it.name());
            let field = field.ok_or_else(|| format!("column {} is no field of it", it.name()))?;
            let form = form(&field, it.type_()).ok_or_else(|| {
                format!("column {} is {}, which is no form of its {:?}", it.name(), it.type_(), field.kind())
            })?;
            Ok(Field { column, number: field.number(), form, json_name: field.json_name().to_owned() })
        });
        let fields = fields.collect::<Result<_, String>>()?;
        Ok(Self { message, fields })
    }

    /// The full name of what it writes.
    pub(super) fn message(&self) -> &str {
        self.message.full_name()
    }

    /// The row's message, encoded; the error says which column cannot be.
    pub(super) fn encode(&self, row: &Row) -> Result<Vec<u8>, String> {
        let mut out = Vec::with_capacity(128);
        for field in &self.fields {
            let written = self.write(field, row, &mut out);
            written.map_err(|problem| format!("{}: {problem}", row.columns()[field.column].name()))?;
        }
        Ok(out)
    }

    fn write(&self, field: &Field, row: &Row, out: &mut Vec<u8>) -> Result<(), String> {
        let bad = |error: tokio_postgres::Error| error.to_string();
        match &field.form {
            Form::Text => {
                let text: Option<&str> = row.try_get(field.column).map_err(bad)?;
                write_bytes(field.number, text.unwrap_or_default().as_bytes(), out);
            }
            Form::Int64 => write_int(field.number, row.try_get::<_, Option<i64>>(field.column).map_err(bad)?, out),
            Form::Int32 => {
                let number: Option<i32> = row.try_get(field.column).map_err(bad)?;
                write_int(field.number, number.map(i64::from), out);
            }
            Form::Bool => {
                let is: Option<bool> = row.try_get(field.column).map_err(bad)?;
                write_int(field.number, is.map(i64::from), out);
            }
            Form::EnumName(values) => {
                if let Some(name) = row.try_get::<_, Option<&str>>(field.column).map_err(bad)? {
                    let value = values.get_value_by_name(name).ok_or_else(|| format!("{name} is no value of it"))?;
                    write_int(field.number, Some(value.number().into()), out);
                }
            }
            Form::Time => {
                let time: Option<std::time::SystemTime> = row.try_get(field.column).map_err(bad)?;
                if let Some(time) = time {
                    write_bytes(field.number, &prost_types::Timestamp::from(time).encode_to_vec(), out);
                }
            }
            Form::Json => {
                let value: Option<Json<serde_json::Value>> = row.try_get(field.column).map_err(bad)?;
                if let Some(Json(value)) = value {
                    let document = serde_json::json!({ &field.json_name: value });
                    let message = DynamicMessage::deserialize(self.message.clone(), document);
                    message.map_err(|error| error.to_string())?.encode(out).map_err(|error| error.to_string())?;
                }
            }
        }
        Ok(())
    }
}

fn form(field: &FieldDescriptor, column: &Type) -> Option<Form> {
    if *column == Type::JSONB {
        return Some(Form::Json);
    }
    if field.is_list() || field.is_map() {
        return None;
    }
    match field.kind() {
        Kind::String if *column == Type::TEXT => Some(Form::Text),
        Kind::Int64 if *column == Type::INT8 => Some(Form::Int64),
        Kind::Int32 | Kind::Enum(_) if *column == Type::INT4 => Some(Form::Int32),
        Kind::Enum(values) if *column == Type::TEXT => Some(Form::EnumName(values)),
        Kind::Bool if *column == Type::BOOL => Some(Form::Bool),
        Kind::Message(message)
            if *column == Type::TIMESTAMPTZ && message.full_name() == "google.protobuf.Timestamp" =>
        {
            Some(Form::Time)
        }
        Kind::String | Kind::Int64 | Kind::Int32 | Kind::Enum(_) | Kind::Bool | Kind::Message(_) => None,
        Kind::Double | Kind::Float | Kind::Bytes => None,
        Kind::Uint32 | Kind::Uint64 | Kind::Sint32 | Kind::Sint64 => None,
        Kind::Fixed32 | Kind::Fixed64 | Kind::Sfixed32 | Kind::Sfixed64 => None,
    }
}

/// A zero is not written: it is what readers assume.
fn write_int(number: u32, value: Option<i64>, out: &mut Vec<u8>) {
    let Some(value) = value.filter(|value| *value != 0) else { return };
    write_varint(u64::from(number << 3 | VARINT), out);
    write_varint(value.cast_unsigned(), out);
}

fn write_bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    write_varint(u64::from(number << 3 | LENGTH_DELIMITED), out);
    write_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}
