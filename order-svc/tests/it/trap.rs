//! A place in the saga where everything stops: before or after one effect on the outside world.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use order_svc::payment::{Answer, Charge, PaymentId, Provider, TokenError};
use tokio::sync::watch;

/// An effect outside the order's own tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Reserve,
    BeginPayment,
    Confirm,
    Release,
    Restock,
    GetReservation,
    Prices,
    Authorize,
    Capture,
    Void,
    Refund,
    Lookup,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    Before(Call),
    After(Call),
}

/// Springs once, at the point it is set to; whoever ran into it stays there until it is opened.
pub(crate) struct Trap {
    set: Mutex<Option<Point>>,
    sprung: watch::Sender<bool>,
    opened: watch::Sender<bool>,
}

impl Trap {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { set: Mutex::new(None), sprung: watch::Sender::new(false), opened: watch::Sender::new(false) })
    }

    pub(crate) fn set(&self, point: Point) {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = Some(point);
        self.sprung.send_replace(false);
        self.opened.send_replace(false);
    }

    pub(crate) async fn sprung(&self) {
        self.sprung.subscribe().wait_for(|sprung| *sprung).await.expect("the trap lives as long as its shop");
    }

    pub(crate) fn open(&self) {
        self.opened.send_replace(true);
    }

    pub(crate) async fn pass(&self, point: Point) {
        {
            let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
            if *set != Some(point) {
                return;
            }
            *set = None;
        }
        self.sprung.send_replace(true);
        self.opened.subscribe().wait_for(|opened| *opened).await.expect("the trap lives as long as its shop");
    }
}

/// A provider with the trap around every call.
pub(crate) struct Trapped<P> {
    pub(crate) inner: P,
    pub(crate) trap: Arc<Trap>,
}

impl<P: Provider> Trapped<P> {
    fn around<'a>(&'a self, call: Call, answer: Answer<'a>) -> Answer<'a> {
        async move {
            self.trap.pass(Point::Before(call)).await;
            let answer = answer.await;
            self.trap.pass(Point::After(call)).await;
            answer
        }
        .boxed()
    }
}

impl<P: Provider> Provider for Trapped<P> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn check_token(&self, token: &str) -> Result<(), TokenError> {
        self.inner.check_token(token)
    }

    fn authorize<'a>(&'a self, charge: &'a Charge) -> Answer<'a> {
        self.around(Call::Authorize, self.inner.authorize(charge))
    }

    fn capture(&self, id: PaymentId) -> Answer<'_> {
        self.around(Call::Capture, self.inner.capture(id))
    }

    fn void(&self, id: PaymentId) -> Answer<'_> {
        self.around(Call::Void, self.inner.void(id))
    }

    fn refund(&self, id: PaymentId) -> Answer<'_> {
        self.around(Call::Refund, self.inner.refund(id))
    }

    fn lookup(&self, id: PaymentId) -> Answer<'_> {
        self.around(Call::Lookup, self.inner.lookup(id))
    }
}
