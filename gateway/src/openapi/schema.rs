//! Messages and enums as JSON Schema, as protobuf JSON writes them.

use std::collections::BTreeMap;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::comments::Comments;

/// The schemas referred to so far.
pub(crate) struct Schemas<'c> {
    comments: &'c Comments,
    named: BTreeMap<String, Value>,
}

impl<'c> Schemas<'c> {
    pub(crate) fn new(comments: &'c Comments) -> Self {
        Self { comments, named: BTreeMap::new() }
    }

    pub(crate) fn finish(mut self, problem: Value) -> Value {
        self.named.insert("Problem".to_owned(), problem);
        json!(self.named)
    }

    pub(crate) fn message(&mut self, message: &MessageDescriptor) -> Value {
        if let Some(schema) = well_known(message.full_name()) {
            return schema;
        }
        let name = message.full_name();
        if !self.named.contains_key(name) {
            // Noted before its fields are looked at: a message may contain itself.
            self.named.insert(name.to_owned(), Value::Null);
            let schema = self.object(message, &[]);
            self.named.insert(name.to_owned(), schema);
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// A message's own schema, less the fields a route takes from elsewhere.
    pub(crate) fn object(&mut self, message: &MessageDescriptor, without: &[&FieldDescriptor]) -> Value {
        let mut properties = Map::new();
        for field in message.fields().filter(|field| !without.contains(&field)) {
            properties.insert(field.json_name().to_owned(), self.described_field(&field));
        }
        let comment = self.comments.of(&message.parent_file(), message.path());
        described(json!({"type": "object", "properties": properties}), comment)
    }

    pub(crate) fn described_field(&mut self, field: &FieldDescriptor) -> Value {
        let file = field.parent_message().parent_file();
        let mut comment = self.comments.of(&file, field.path()).to_owned();
        if let Some(oneof) = field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
            let others: Vec<_> = oneof.fields().map(|field| field.json_name().to_owned()).collect();
            comment = format!("{comment} At most one of {} is given.", others.join(", ")).trim_start().to_owned();
        }
        described(self.field(field), &comment)
    }

    fn field(&mut self, field: &FieldDescriptor) -> Value {
        if field.is_map()
            && let Some(entry) = field.kind().as_message()
        {
            return json!({"type": "object", "additionalProperties": self.kind(&entry.map_entry_value_field().kind())});
        }
        let one = self.kind(&field.kind());
        if field.is_list() { json!({"type": "array", "items": one}) } else { one }
    }

    fn kind(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Message(message) => self.message(message),
            Kind::Enum(declared) => self.enumeration(declared),
            Kind::String => json!({"type": "string"}),
            Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Kind::Bool => json!({"type": "boolean"}),
            Kind::Double => json!({"type": "number", "format": "double"}),
            Kind::Float => json!({"type": "number", "format": "float"}),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({"type": "integer", "format": "int32"}),
            Kind::Uint32 | Kind::Fixed32 => json!({"type": "integer", "format": "int32", "minimum": 0}),
            // Doubles, which many JSON readers use, are exact only up to 2^53.
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => json!({"type": "string", "format": "int64"}),
            Kind::Uint64 | Kind::Fixed64 => json!({"type": "string", "format": "uint64"}),
        }
    }

    fn enumeration(&mut self, declared: &EnumDescriptor) -> Value {
        let name = declared.full_name();
        if !self.named.contains_key(name) {
            let file = declared.parent_file();
            let mut comment = self.comments.of(&file, declared.path()).to_owned();
            for value in declared.values() {
                let text = self.comments.of(&file, value.path());
                if !text.is_empty() {
                    comment += &format!("\n\n{}: {text}", value.name());
                }
            }
            let names: Vec<_> = declared.values().map(|value| value.name().to_owned()).collect();
            self.named.insert(name.to_owned(), described(json!({"type": "string", "enum": names}), comment.trim()));
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }
}

/// Adds a description; OpenAPI 3.1 allows one beside a `$ref`.
pub(crate) fn described(mut schema: Value, comment: &str) -> Value {
    if !comment.is_empty() {
        schema["description"] = comment.into();
    }
    schema
}

fn well_known(name: &str) -> Option<Value> {
    Some(match name.strip_prefix("google.protobuf.")? {
        "Timestamp" => json!({"type": "string", "format": "date-time"}),
        "Duration" => json!({"type": "string", "pattern": r"^-?\d+(\.\d{1,9})?s$", "examples": ["600s"]}),
        "FieldMask" => json!({"type": "string", "examples": ["title,brandId"]}),
        "Struct" => json!({"type": "object", "additionalProperties": true}),
        "Value" => json!({}),
        "ListValue" => json!({"type": "array", "items": {}}),
        "Any" => json!({"type": "object", "properties": {"@type": {"type": "string"}}, "additionalProperties": true}),
        "Empty" => json!({"type": "object"}),
        "BoolValue" => json!({"type": "boolean"}),
        "StringValue" => json!({"type": "string"}),
        "BytesValue" => json!({"type": "string", "contentEncoding": "base64"}),
        "Int32Value" | "UInt32Value" => json!({"type": "integer", "format": "int32"}),
        "Int64Value" => json!({"type": "string", "format": "int64"}),
        "UInt64Value" => json!({"type": "string", "format": "uint64"}),
        "FloatValue" | "DoubleValue" => json!({"type": "number"}),
        _ => return None,
    })
}
