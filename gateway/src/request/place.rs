//! Where a field of the gRPC request stood in the HTTP request.

use prost_reflect::MessageDescriptor;

use crate::problem::Place;
use crate::route::{BodyRule, Route, find_field};

impl Place {
    /// Finds `lines[0].quantity`, as services name fields at fault. A field of the path is looked for in the body
    /// only where asked.
    pub(crate) fn of_field(field: &str, route: &Route, in_body: bool) -> Self {
        let Some(steps) = steps(&route.method.descriptor.input(), field) else { return Self::Field(field.to_owned()) };
        let parameter = steps.join(".");
        if !in_body && route.path_fields.iter().any(|path| path.json_name() == parameter) {
            return Self::Parameter(parameter);
        }
        match &route.body {
            BodyRule::Whole => Self::Pointer(pointer(&steps)),
            BodyRule::Field(body) if steps[0] == body.json_name() => Self::Pointer(pointer(&steps[1..])),
            BodyRule::Field(_) | BodyRule::None => Self::Parameter(parameter),
        }
    }
}

/// The JSON names and indexes that lead to a field; at least one.
fn steps(message: &MessageDescriptor, field: &str) -> Option<Vec<String>> {
    let mut steps = Vec::new();
    let mut within = Some(message.clone());
    for part in field.split('.') {
        let (name, index) = match part.strip_suffix(']').and_then(|part| part.split_once('[')) {
            Some((name, index)) => (name, Some(index)),
            None => (part, None),
        };
        let found = find_field(within.as_ref()?, name)?;
        steps.push(found.json_name().to_owned());
        steps.extend(index.map(str::to_owned));
        // `lines.sku` names no line: it has no place in a body.
        let one_of_many = found.is_list() && index.is_none();
        within = found.kind().as_message().filter(|_| !one_of_many).cloned();
    }
    Some(steps)
}

/// RFC 6901.
pub(super) fn pointer(steps: &[String]) -> String {
    steps.iter().fold(String::new(), |pointer, step| pointer + "/" + &escape(step))
}

pub(super) fn escape(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use holdfast_contracts::MethodTable;

    use super::*;

    #[test]
    fn fields_at_fault_are_found_in_the_body() {
        let table = MethodTable::load().expect("contracts");
        let reserve = table.get("/holdfast.inventory.v1.InventoryService/Reserve").expect("a method");
        let check = |field: &str, expect: Option<&str>| {
            let found = steps(&reserve.descriptor.input(), field).map(|steps| pointer(&steps));
            assert_eq!(found.as_deref(), expect, "{field}");
        };
        check("request_id", Some("/requestId"));
        check("lines", Some("/lines"));
        check("lines[1].location_id", Some("/lines/1/locationId"));
        check("lines.location_id", None);
        check("nothing", None);
        check("", None);
    }

    #[test]
    fn pointers_escape_their_steps() {
        assert_eq!(pointer(&["a/b".to_owned(), "~1".to_owned()]), "/a~1b/~01");
    }
}
