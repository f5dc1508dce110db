//! A JSON body as a request message. Unlike plain protobuf JSON readers it refuses repeated members, and names
//! everything that is wrong at once, each with its JSON pointer.

mod scalar;
mod syntax;

use std::collections::HashMap;

use holdfast_contracts::common::v1::Reason;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};
use serde_json::Value as Json;

use super::place::escape;
use super::text;
use crate::problem::{Place, Problem};
use crate::route::{assign, find_field, is_wrapper};

/// How many things that are wrong are named; more would help nobody.
const VIOLATIONS_MAX: usize = 20;

/// Reads a body that must be one JSON object.
pub(super) fn read(message: &MessageDescriptor, body: &[u8]) -> Result<DynamicMessage, Problem> {
    let json = syntax::parse(body)?;
    let mut walk = Walk { at: String::new(), problem: None };
    let request = walk.message(message, json);
    match (request, walk.problem) {
        (_, Some(problem)) => Err(problem),
        (Some(Value::Message(request)), None) => Ok(request),
        (Some(_) | None, None) => Err(Problem::invalid(Place::Pointer(String::new()), "must be an object")),
    }
}

struct Walk {
    /// The JSON pointer of where it is.
    at: String,
    problem: Option<Problem>,
}

impl Walk {
    /// Notes what is wrong here; the first to be found gives the reason.
    fn refuse(&mut self, reason: Reason, detail: impl Into<String>) {
        let (place, detail) = (Place::Pointer(self.at.clone()), detail.into());
        let problem = match self.problem.take() {
            None => {
                let at = if self.at.is_empty() { "the body" } else { &self.at };
                Problem::new(reason, format!("{at} {detail}")).at(place, detail)
            }
            Some(problem) if problem.errors.len() < VIOLATIONS_MAX => problem.at(place, detail),
            Some(problem) => problem,
        };
        self.problem = Some(problem);
    }

    fn take(&mut self, value: Result<Value, String>) -> Option<Value> {
        value.map_err(|detail| self.refuse(Reason::InvalidArgument, detail)).ok()
    }

    /// Does something one step further down.
    fn within<T>(&mut self, step: &str, f: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.at.len();
        self.at.push('/');
        self.at.push_str(&escape(step));
        let done = f(self);
        self.at.truncate(length);
        done
    }

    fn message(&mut self, message: &MessageDescriptor, json: Json) -> Option<Value> {
        if is_wrapper(message) {
            let field = message.get_field_by_name("value").expect("every wrapper has a value");
            let mut wrapper = DynamicMessage::new(message.clone());
            wrapper.set_field(&field, self.value(&field.kind(), json)?);
            return Some(Value::Message(wrapper));
        }
        if message.full_name().starts_with("google.protobuf.") {
            return self.take(text::well_known(message, json));
        }
        let Json::Object(members) = json else {
            self.refuse(Reason::InvalidArgument, format!("must be an object, not {}", scalar::type_name(&json)));
            return None;
        };
        let mut read = DynamicMessage::new(message.clone());
        let mut given: Vec<FieldDescriptor> = Vec::new();
        for (name, json) in members {
            self.within(&name, |walk| match find_field(message, &name) {
                None => walk.refuse(Reason::UnknownField, format!("is not a field of {}", message.name())),
                Some(field) if given.contains(&field) => {
                    walk.refuse(Reason::InvalidArgument, format!("is the same field as {}", field.json_name()));
                }
                Some(field) => {
                    walk.field(&mut read, &field, json);
                    given.push(field);
                }
            });
        }
        Some(Value::Message(read))
    }

    fn field(&mut self, message: &mut DynamicMessage, field: &FieldDescriptor, json: Json) {
        let null_means_something = matches!(&field.kind(),
            Kind::Message(message) if message.full_name() == "google.protobuf.Value");
        let value = match json {
            // Protobuf JSON: null is the same as leaving the field out.
            Json::Null if !null_means_something => return,
            json if field.is_list() => self.list(&field.kind(), json),
            json if field.is_map() => self.map(&field.kind(), json),
            json => self.value(&field.kind(), json),
        };
        if let Some(value) = value
            && let Err(detail) = assign(message, field, value)
        {
            self.refuse(Reason::InvalidArgument, detail);
        }
    }

    fn list(&mut self, kind: &Kind, json: Json) -> Option<Value> {
        let Json::Array(items) = json else {
            self.refuse(Reason::InvalidArgument, format!("must be an array, not {}", scalar::type_name(&json)));
            return None;
        };
        let values = items.into_iter().enumerate();
        let read = values.filter_map(|(at, json)| self.within(&at.to_string(), |walk| walk.value(kind, json)));
        Some(Value::List(read.collect()))
    }

    fn map(&mut self, kind: &Kind, json: Json) -> Option<Value> {
        let entry = kind.as_message()?;
        let (key_kind, value_kind) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
        let Json::Object(members) = json else {
            self.refuse(Reason::InvalidArgument, format!("must be an object, not {}", scalar::type_name(&json)));
            return None;
        };
        let mut map: HashMap<MapKey, Value> = HashMap::with_capacity(members.len());
        for (name, json) in members {
            self.within(&name, |walk| {
                let key = walk.take(text::parse(&key_kind, &name)).and_then(Value::into_map_key);
                if let (Some(key), Some(value)) = (key, walk.value(&value_kind, json)) {
                    map.insert(key, value);
                }
            });
        }
        Some(Value::Map(map))
    }

    fn value(&mut self, kind: &Kind, json: Json) -> Option<Value> {
        match kind {
            Kind::Message(message) => self.message(message, json),
            scalar => self.take(scalar::read(scalar, json)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use holdfast_contracts::MethodTable;
    use proptest::prelude::*;

    use super::*;

    static CONTRACTS: LazyLock<MethodTable> = LazyLock::new(|| MethodTable::load().expect("contracts"));

    fn message(name: &str) -> MessageDescriptor {
        CONTRACTS.pool().get_message_by_name(name).expect("a message of the contracts")
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let name = prop_oneof!["[a-z]{1,3}", Just("attributes".to_owned()), Just("variants".to_owned())];
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            "\\PC{0,8}".prop_map(Json::from),
        ];
        leaf.prop_recursive(6, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
                prop::collection::btree_map(name.clone(), inner, 0..6)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(json in any_json(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let product = message("holdfast.inventory.v1.Product");
            let _ = read(&product, json.to_string().as_bytes());
            let _ = read(&product, &bytes);
        }

        #[test]
        fn what_the_gateway_writes_it_reads_back(
            id in "\\PC{0,20}", quantity in any::<i32>(), version in prop::option::of(any::<i64>()),
            seconds in -315_576_000_000_i64..=315_576_000_000, attributes in any_json(),
        ) {
            let body = serde_json::json!({
                "customerId": id,
                "lines": [{"sku": id, "quantity": quantity, "expectedVersion": version.map(|v| v.to_string())}],
                "ttl": format!("{seconds}s"),
            });
            is_stable(&message("holdfast.inventory.v1.ReserveRequest"), &body)?;
            let body = serde_json::json!({"attributes": {"any": attributes}});
            is_stable(&message("holdfast.inventory.v1.Product"), &body)?;
        }
    }

    /// Read, written, read and written again, a body is what it was written as first.
    fn is_stable(message: &MessageDescriptor, body: &Json) -> Result<(), TestCaseError> {
        let rewrite = |body: &[u8]| crate::answer::json(&read(message, body).expect("valid")).expect("a JSON form");
        let first = rewrite(body.to_string().as_bytes());
        let second = rewrite(&first);
        let tree = |bytes: &[u8]| serde_json::from_slice::<Json>(bytes).expect("JSON");
        prop_assert_eq!(tree(&first), tree(&second));
        Ok(())
    }
}
