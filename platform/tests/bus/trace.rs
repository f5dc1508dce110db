//! An event is handled as part of the trace in which it was made.

use std::sync::{Arc, Mutex};

use holdfast_contracts::events::v1::Envelope;
use holdfast_platform::bus::postgres::PostgresBus;
use holdfast_platform::bus::testing::World;
use holdfast_platform::bus::{Bus, HandleError, Handler};
use holdfast_platform::pg::Transaction;
use holdfast_platform::telemetry::trace;

use crate::metrics::until;

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Which traces the two steps ran in, by event.
#[derive(Debug, Clone, Default)]
struct Traces(Arc<Mutex<Vec<Handled>>>);

/// An event's key, and the traces of its two steps.
type Handled = (String, [Option<String>; 2]);

fn current() -> Option<String> {
    trace::current().map(|context| context.to_string())
}

impl Handler for Traces {
    type Prepared = (String, Option<String>);

    async fn prepare(&self, events: &[Envelope]) -> Result<Self::Prepared, HandleError> {
        Ok((events[0].key.clone(), current()))
    }

    async fn apply(&self, _: &Transaction<'_>, (key, prepared_in): Self::Prepared) -> Result<(), HandleError> {
        self.0.lock().expect("no panics").push((key, [prepared_in, current()]));
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_steps_of_a_handler_run_in_the_events_own_trace() {
    let (world, traces) = (World::new().await, Traces::default());
    let bus: Arc<dyn Bus> = Arc::new(PostgresBus::new(&world.database_url));
    let consumer = world.consume(&bus, "traces", &traces);
    let seen = |count: usize| traces.0.lock().expect("no panics").len() == count;
    world.append_traced("traced", 1, TRACEPARENT).await;
    until(|| seen(1)).await;
    world.append("untraced", 1, 1).await;
    until(|| seen(2)).await;
    consumer.abort();
    let its_own = || Some(TRACEPARENT.to_owned());
    let expected = [("traced".to_owned(), [its_own(), its_own()]), ("untraced".to_owned(), [None, None])];
    assert_eq!(*traces.0.lock().expect("no panics"), expected);
}
