//! What a tool finds that knows nothing but the address.

use holdfast::system::Transport;
use holdfast_contracts::inventory::v1::inventory_service_server::SERVICE_NAME as INVENTORY;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use serde_json::json;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest as Ask;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse as Told;

use crate::ask::new_id;
use crate::raw::call;
use crate::shop::Shop;

over_both_transports! {
    a_client_that_knows_only_reflection_can_hold,
    every_service_is_listed_and_serving,
}

async fn ask(channel: &Channel, question: Ask) -> Told {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let questions = tokio_stream::iter([request]);
    let mut client = ServerReflectionClient::new(channel.clone());
    let mut answers = client.server_reflection_info(questions).await.expect("reflection is served").into_inner();
    let answer = answers.message().await.expect("no error").expect("an answer");
    answer.message_response.expect("a message")
}

async fn ask_files(channel: &Channel, question: Ask) -> Vec<FileDescriptorProto> {
    let Told::FileDescriptorResponse(files) = ask(channel, question).await else { panic!("not files") };
    files.file_descriptor_proto.iter().map(|file| FileDescriptorProto::decode(&**file).expect("a file")).collect()
}

/// A method, described by the server alone: its file, and what that imports.
async fn describe(channel: &Channel, symbol: &str, name: &str) -> MethodDescriptor {
    let mut wanted = ask_files(channel, Ask::FileContainingSymbol(symbol.to_owned())).await;
    let mut files: Vec<FileDescriptorProto> = Vec::new();
    while let Some(file) = wanted.pop() {
        if files.iter().any(|known| known.name == file.name) {
            continue;
        }
        for import in &file.dependency {
            wanted.extend(ask_files(channel, Ask::FileByFilename(import.clone())).await);
        }
        files.push(file);
    }
    let pool = DescriptorPool::from_file_descriptor_set(FileDescriptorSet { file: files }).expect("whole files");
    let service = pool.get_service_by_name(symbol).expect("the service is described");
    service.methods().find(|method| method.name() == name).expect("the method is described")
}

async fn a_client_that_knows_only_reflection_can_hold(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let channel = &shop.doors.channel;
    let method = describe(channel, INVENTORY, "Reserve").await;
    assert_eq!(method.input().full_name(), "holdfast.inventory.v1.ReserveRequest");
    let ask = json!({"requestId": new_id(), "customerId": "c1", "lines": [{"sku": "S", "quantity": 2}]});
    let request = DynamicMessage::deserialize(method.input(), ask).expect("the fields are described");

    let answer = call(channel, &format!("/{INVENTORY}/Reserve"), request.encode_to_vec()).await.expect("it is held");
    let held = DynamicMessage::decode(method.output(), answer.as_slice()).expect("a reservation");
    let state = held.get_field_by_name("state").expect("a field").as_enum_number();
    assert_eq!(state, Some(1), "{held:?}");
    assert_eq!(shop.doors.units("S").await, (2, 0, 3));
}

async fn every_service_is_listed_and_serving(transport: Transport) {
    let shop = Shop::open(transport, &[]).await;
    let channel = &shop.doors.channel;
    let Told::ListServicesResponse(list) = ask(channel, Ask::ListServices(String::new())).await else {
        panic!("not a list")
    };
    let listed: Vec<&str> = list.service.iter().map(|service| service.name.as_str()).collect();
    for name in [
        "holdfast.inventory.v1.CatalogService",
        "holdfast.inventory.v1.InventoryService",
        "holdfast.order.v1.OrderService",
        "holdfast.rec.v1.RecommendationService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
    ] {
        assert!(listed.contains(&name), "{name} is not in {listed:?}");
    }
    for service in ["", "holdfast.inventory.v1.InventoryService", "holdfast.order.v1.OrderService"] {
        let health = HealthClient::new(channel.clone()).check(HealthCheckRequest { service: service.into() }).await;
        assert_eq!(health.expect("health is served").get_ref().status(), ServingStatus::Serving, "{service}");
    }
    for path in ["/livez", "/readyz"] {
        assert_eq!(shop.doors.rest.get(path).await.status, 200, "{path}");
    }
}
