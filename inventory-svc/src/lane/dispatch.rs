//! The dispatcher: takes commands in, hands batches out.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::schedule::{Keys, Schedule};
use super::{LaneError, Ticket};
use crate::metrics::Metrics;

/// How many commands one batch may have: bounds the statement and how long one commit takes.
const BATCH_MAX: usize = 512;
/// How many commands may wait behind the ones in flight.
const WAITING_MAX: usize = 4_096;

/// A lane has finished a batch.
pub(super) struct Completion {
    pub lane: usize,
    pub keys: Keys,
}

/// A batch for a lane.
pub(super) struct Batch {
    pub tickets: Vec<Ticket>,
    pub keys: Keys,
}

/// Runs until told to stop, and then until everything that waits is answered.
pub(super) async fn run(
    mut arrivals: mpsc::Receiver<Ticket>,
    mut completions: mpsc::Receiver<Completion>,
    lanes: Vec<mpsc::Sender<Batch>>,
    stopping: CancellationToken,
) {
    let mut schedule: Schedule<Ticket> = Schedule::new();
    let mut free: Vec<usize> = (0..lanes.len()).rev().collect();
    let mut inbox: Vec<Ticket> = Vec::with_capacity(BATCH_MAX);
    loop {
        tokio::select! {
            biased;
            Some(done) = completions.recv() => {
                schedule.complete(&done.keys);
                free.push(done.lane);
            }
            count = arrivals.recv_many(&mut inbox, BATCH_MAX) => {
                if count == 0 {
                    break;
                }
            }
            () = stopping.cancelled(), if !arrivals.is_closed() => arrivals.close(),
        }
        for ticket in inbox.drain(..) {
            // One level's crowd must not keep others out: whoever could go at once is let in beyond the bound.
            let waiting = schedule.len();
            if waiting >= 2 * WAITING_MAX || (waiting >= WAITING_MAX && schedule.must_wait(&ticket)) {
                ticket.answer(Err(LaneError::Overloaded));
            } else {
                schedule.admit(ticket);
            }
        }
        hand_out(&mut schedule, &mut free, &lanes).await;
        Metrics::get().lane_queue.set(i64::try_from(schedule.len()).unwrap_or(i64::MAX));
    }
    // Stopping: nothing new comes in; see what waits to its end.
    while free.len() < lanes.len() || schedule.len() > 0 {
        if !hand_out(&mut schedule, &mut free, &lanes).await {
            return;
        }
        let Some(done) = completions.recv().await else { return };
        schedule.complete(&done.keys);
        free.push(done.lane);
    }
}

/// Gives every free lane the next batch, as long as there is one; says whether the lanes took them.
async fn hand_out(schedule: &mut Schedule<Ticket>, free: &mut Vec<usize>, lanes: &[mpsc::Sender<Batch>]) -> bool {
    let mut all_there = true;
    while let Some(&lane) = free.last() {
        let Some(taken) = schedule.take(BATCH_MAX) else { break };
        free.pop();
        let batch = Batch { tickets: taken.items, keys: taken.keys };
        if let Err(mpsc::error::SendError(batch)) = lanes[lane].send(batch).await {
            batch.tickets.into_iter().for_each(|ticket| ticket.answer(Err(LaneError::Unavailable)));
            schedule.complete(&batch.keys);
            all_there = false;
        }
    }
    all_there
}
