//! What is known of one product.

use std::collections::VecDeque;

use holdfast_contracts::ProductId;

use super::content::Feature;
use super::cycle::Cycle;
use super::decay::Decayed;
use super::row::Row;
use super::table::{Slot, Table};

/// How many products are known: those most recently seen.
pub(crate) const PRODUCTS_MAX: usize = 1_000_000;

pub(crate) type Products = Table<ProductId, Product>;

/// Each model's part of it; forgotten as one.
#[derive(Debug, Default)]
pub(crate) struct Product {
    /// How many shoppers were interested lately.
    pub(crate) heat: Decayed,
    /// How many shoppers have bought it, each counting once.
    pub(crate) demand: Decayed,
    pub(crate) covisit: Neighbours,
    pub(crate) view_buy: Neighbours,
    pub(crate) same_order: Neighbours,
    /// Sessions it was seen in, the most recent last.
    pub(crate) sessions: VecDeque<Slot>,
    /// What it is, as far as it was told.
    pub(crate) features: Box<[Feature]>,
    /// How long it lasts those who buy it again.
    pub(crate) cycle: Cycle,
}

/// What goes with it in one channel.
#[derive(Debug, Default)]
pub(crate) struct Neighbours {
    /// How often it was seen in this channel, with anything or alone.
    pub(crate) seen: Decayed,
    pub(crate) row: Row,
}
