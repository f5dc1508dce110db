//! Whom a list is for, and where it is shown.

use super::event::{Shopper, Time};
use super::model::Model;
use super::session::IDLE_MAX;
use super::table::Slot;

/// What an answer rests on. Whatever is not known stays empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    pub(crate) now: Time,
    /// What was looked at lately, oldest first, and how much each says.
    pub(crate) visits: Vec<(Slot, f64)>,
    /// The session that is going on, oldest first; nothing where the shopper only just came back.
    pub(crate) session: Vec<Slot>,
    /// What the model remembers of that session.
    pub(crate) own_session: Option<Slot>,
    /// What is in the basket.
    pub(crate) basket: Vec<Slot>,
    /// Whose history to use.
    pub(crate) shopper: Option<Slot>,
    /// Count as popular what is popular in this category: the feature that names it.
    pub(crate) category: Option<Slot>,
    /// Rank only these, where given: new arrivals, a category.
    pub(crate) named: Option<Vec<Slot>>,
}

impl Model {
    /// What the model knows of a shopper.
    pub(crate) fn context_of(&self, shopper: &Shopper, now: Time) -> Context {
        let Some(slot) = self.shoppers.find(&shopper.key()) else { return Context { now, ..Context::default() } };
        let Some(history) = self.shoppers.get(slot) else { return Context { now, ..Context::default() } };
        let session = history.session.and_then(|slot| self.sessions.get(slot));
        let session = session.filter(|known| known.last().is_some_and(|last| last.gap(now) <= IDLE_MAX));
        Context {
            now,
            visits: history.visits().iter().map(|visit| (visit.product, visit.kind.weight())).collect(),
            session: session.map(|known| known.items().iter().map(|(_, item)| *item).collect()).unwrap_or_default(),
            own_session: history.session,
            basket: Vec::new(),
            shopper: Some(slot),
            category: None,
            named: None,
        }
    }
}
