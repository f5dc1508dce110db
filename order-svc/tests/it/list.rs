//! ListOrders and GetOrder.

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::order::v1 as pb;
use uuid::Uuid;

use super::shop::{Open, Shop, ask, check_refused};

async fn place(open: &mut Open, customer: &str) -> String {
    let request = pb::PlaceOrderRequest { customer_id: customer.into(), ..ask("tok_ok") };
    open.client.place_order(request).await.expect("it is sold").into_inner().id
}

/// Every page's ids, in order.
async fn pages(open: &mut Open, customer: &str, page_size: i32) -> Vec<Vec<String>> {
    let mut request =
        pb::ListOrdersRequest { page_size, customer_id: customer.into(), ..pb::ListOrdersRequest::default() };
    let mut pages = Vec::new();
    loop {
        let page = open.client.list_orders(request.clone()).await.expect("a page").into_inner();
        pages.push(page.orders.into_iter().map(|order| order.id).collect());
        if page.next_page_token.is_empty() {
            return pages;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn lists_are_newest_first_whole_and_by_customer() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    assert_eq!(pages(&mut open, "", 2).await, [Vec::<String>::new()]);
    let mut placed = Vec::new();
    for customer in ["c1", "c2", "c1", "c2", "c1"] {
        placed.push(place(&mut open, customer).await);
    }
    placed.reverse();
    assert_eq!(pages(&mut open, "", 2).await.concat(), placed);
    assert_eq!(pages(&mut open, "", 5).await, [placed.clone()]);
    let mine = [&placed[0..1], &placed[2..3], &placed[4..5]].concat();
    let found = pages(&mut open, "c1", 2).await;
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(found.concat(), mine);
    assert_eq!(pages(&mut open, "nobody", 2).await, [Vec::<String>::new()]);
}

#[tokio::test]
async fn lists_refuse_what_they_did_not_give_out() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    let bad = [
        pb::ListOrdersRequest { page_token: "x".into(), ..Default::default() },
        pb::ListOrdersRequest { page_size: -1, ..Default::default() },
        pb::ListOrdersRequest { customer_id: "\n".into(), ..Default::default() },
    ];
    for request in bad {
        check_refused(open.client.list_orders(request).await, Reason::InvalidArgument);
    }
}

#[tokio::test]
async fn an_unknown_order_is_not_found() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    let unknown = pb::GetOrderRequest { id: Uuid::now_v7().to_string() };
    check_refused(open.client.get_order(unknown).await, Reason::OrderNotFound);
    check_refused(open.client.get_order(pb::GetOrderRequest { id: "x".into() }).await, Reason::InvalidArgument);
}
