//! Free attributes through the wire and the database, and back.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};

use super::*;

fn any_text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>().prop_filter("not NUL", |c| *c != '\0'), 0..8)
        .prop_map(|chars| chars.into_iter().collect())
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<i32>().prop_map(f64::from),
        any::<i64>().prop_map(|whole| whole as f64),
        prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Kind::NullValue(0)),
        any::<bool>().prop_map(Kind::BoolValue),
        any_number().prop_map(Kind::NumberValue),
        any_text().prop_map(Kind::StringValue),
    ];
    leaf.prop_map(Value::from).prop_recursive(6, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|values| Kind::ListValue(ListValue { values }).into()),
            prop::collection::btree_map(any_text(), inner, 0..4)
                .prop_map(|fields| Kind::StructValue(Struct { fields }).into()),
        ]
    })
}

fn any_attributes() -> impl Strategy<Value = Struct> {
    prop::collection::btree_map(any_text(), any_value(), 1..5).prop_map(|fields| Struct { fields })
}

#[test]
fn attributes_come_back_as_they_were_given_and_compare_equal() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let catalog = runtime.block_on(Catalog::open());
    let check = async |product_has: Struct, variant_has: Struct| {
        let mut wanted = product("wine", &["WINE-75"]);
        wanted.attributes = Some(product_has);
        wanted.variants[0].attributes = Some(variant_has);
        catalog.upsert(wanted.clone()).await.unwrap();

        let read = catalog.get("wine").await.unwrap();
        prop_assert_eq!(&read.attributes, &wanted.attributes);
        prop_assert_eq!(&read.variants[0].attributes, &wanted.variants[0].attributes);
        let (again, outcome) = catalog.upsert(wanted).await.unwrap();
        prop_assert_eq!((again.version, outcome), (read.version, Outcome::Unchanged));
        Ok::<(), TestCaseError>(())
    };
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    runner
        .run(&(any_attributes(), any_attributes()), |(product_has, variant_has)| {
            runtime.block_on(check(product_has, variant_has))
        })
        .unwrap();
}
