//! Paths to request fields, as templates, queries and field violations write them.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

/// A field of a message or of messages within it: `product.id`.
#[derive(Debug, Clone)]
pub(crate) struct FieldPath {
    fields: Vec<FieldDescriptor>,
}

/// Finds a field by its JSON or its proto name.
pub(crate) fn find_field(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name))
}

/// Whether a value of this kind has a form as plain text.
pub(crate) fn is_text_kind(kind: &Kind) -> bool {
    match kind {
        Kind::Message(message) => {
            matches!(
                message.full_name(),
                "google.protobuf.Timestamp" | "google.protobuf.Duration" | "google.protobuf.FieldMask"
            ) || is_wrapper(message)
        }
        Kind::Double | Kind::Float | Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 => true,
        Kind::Sint32 | Kind::Sint64 | Kind::Fixed32 | Kind::Fixed64 | Kind::Sfixed32 | Kind::Sfixed64 => true,
        Kind::Bool | Kind::String | Kind::Bytes | Kind::Enum(_) => true,
    }
}

/// Whether a message is one of `google.protobuf.*Value` around a scalar.
pub(crate) fn is_wrapper(message: &MessageDescriptor) -> bool {
    message.full_name().strip_prefix("google.protobuf.").is_some_and(|name| {
        matches!(
            name,
            "DoubleValue"
                | "FloatValue"
                | "Int64Value"
                | "UInt64Value"
                | "Int32Value"
                | "UInt32Value"
                | "BoolValue"
                | "StringValue"
                | "BytesValue"
        )
    })
}

impl FieldPath {
    /// Resolves `a.b` through messages that are no lists; each name a JSON or a proto name.
    pub(crate) fn resolve(message: &MessageDescriptor, text: &str) -> Option<Self> {
        let mut fields: Vec<FieldDescriptor> = Vec::new();
        let mut within = message.clone();
        for name in text.split('.') {
            if let Some(outer) = fields.last() {
                if outer.is_list() || outer.is_map() {
                    return None;
                }
                within = outer.kind().as_message()?.clone();
            }
            fields.push(find_field(&within, name)?);
        }
        Some(Self { fields })
    }

    /// The field itself.
    pub(crate) fn leaf(&self) -> &FieldDescriptor {
        self.fields.last().expect("resolve() found at least one name")
    }

    /// The field of the request it is or lies within.
    pub(crate) fn root(&self) -> &FieldDescriptor {
        self.fields.first().expect("resolve() found at least one name")
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        self.fields == other.fields
    }

    /// `product.id` in JSON names.
    pub(crate) fn json_name(&self) -> String {
        self.fields.iter().map(FieldDescriptor::json_name).collect::<Vec<_>>().join(".")
    }

    /// `product.id` in proto names.
    pub(crate) fn proto_name(&self) -> String {
        self.fields.iter().map(FieldDescriptor::name).collect::<Vec<_>>().join(".")
    }

    /// The message the field belongs to, made where it is missing.
    pub(crate) fn parent<'a>(&self, request: &'a mut DynamicMessage) -> &'a mut DynamicMessage {
        let (_, outer) = self.fields.split_last().expect("resolve() found at least one name");
        outer.iter().fold(request, |message, field| {
            message.get_field_mut(field).as_message_mut().expect("resolve() went through messages only")
        })
    }
}

/// Sets a field, unless another of its oneof is set already.
pub(crate) fn assign(message: &mut DynamicMessage, field: &FieldDescriptor, value: Value) -> Result<(), String> {
    if let Some(oneof) = field.containing_oneof()
        && let Some(other) = oneof.fields().find(|other| other != field && message.has_field(other))
    {
        return Err(format!("excludes {}: only one of them may be given", other.json_name()));
    }
    message.set_field(field, value);
    Ok(())
}
