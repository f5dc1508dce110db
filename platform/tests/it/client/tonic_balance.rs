//! Why the client balances by itself: what tonic's own balanced channel does.

use holdfast_contracts::inventory::v1::GetStockRequest;
use holdfast_contracts::inventory::v1::inventory_service_client::InventoryServiceClient;
use tonic::transport::{Channel, Endpoint};

use super::replica::{Replica, over, read};

#[tokio::test]
async fn tonics_balanced_channel_goes_on_calling_a_dead_endpoint_and_ours_does_not() {
    let (mut dead, good) = (Replica::good().await, Replica::good().await);
    let endpoint = |replica: &Replica| Endpoint::from_shared(format!("http://{}", replica.address)).unwrap();
    let tonics = Channel::balance_list([endpoint(&dead), endpoint(&good)].into_iter());
    let ours = over([&dead, &good]);
    read(&ours).await.expect("both are there");
    dead.kill();
    let (mut tonics_failures, mut our_failures) = (0, 0);
    for _ in 0..200 {
        let call = InventoryServiceClient::new(tonics.clone()).get_stock(GetStockRequest::default()).await;
        tonics_failures += usize::from(call.is_err());
        our_failures += usize::from(read(&ours).await.is_err());
    }
    // Every endpoint has the load zero there, so two drawn ones are equal; and a lost one is "ready" with an error.
    assert!(tonics_failures > 50, "{tonics_failures} of 200: tonic has learned to balance, have a look");
    assert_eq!(our_failures, 0);
}
