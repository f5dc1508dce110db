//! GetOrder and ListOrders.

use holdfast_contracts::CustomerId;

use super::{Error, Orders};
use crate::domain::order::{Order, OrderId};
use crate::store::{self, Cursor};

/// Some orders, newest first, and where the list goes on.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) orders: Vec<Order>,
    pub(crate) next: Option<Cursor>,
}

impl Orders {
    pub(crate) async fn get(&self, id: OrderId) -> Result<Order, Error> {
        self.load(id).await?.ok_or(Error::NotFound(id))
    }

    /// Up to `size` orders below a cursor: one customer's, or everybody's.
    pub(crate) async fn list(&self, customer: Option<&CustomerId>, below: Cursor, size: usize) -> Result<Page, Error> {
        // One more than asked for tells whether there is a next page.
        let count_max = i64::try_from(size + 1).unwrap_or(i64::MAX);
        let db = store::connection(&self.pool).await?;
        let mut orders = match customer {
            Some(customer) => store::list_customer_orders(&*db, customer, below, count_max).await?,
            None => store::list_orders(&*db, below, count_max).await?,
        };
        let has_more = orders.len() > size;
        orders.truncate(size);
        let next = orders.last().filter(|_| has_more).map(Cursor::of);
        Ok(Page { orders, next })
    }
}
