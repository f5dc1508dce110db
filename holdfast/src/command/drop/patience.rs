//! Repeating a call that got no answer: the same id, a growing and jittered wait, an end.

use std::future::Future;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::time::{Instant, sleep};

use super::shop::CallError;

/// How long a call is repeated; long enough for a server, or its database, to be started again.
pub(crate) const REPEAT_MAX: Duration = Duration::from_secs(30);
const WAIT_FIRST: Duration = Duration::from_millis(20);
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Between half and all of a wait, so that those who were refused together do not return together.
pub(crate) fn jittered(rng: &mut StdRng, wait: Duration) -> Duration {
    wait.mul_f64(rng.random_range(0.5..1.0))
}

/// Calls until there is an answer, or no use in trying; counts the repetitions.
pub(crate) async fn until_answered<T, F, C>(
    rng: &mut StdRng,
    give_up_after: Duration,
    retries: &mut u64,
    mut call: C,
) -> Result<T, CallError>
where
    F: Future<Output = Result<T, CallError>>,
    C: FnMut() -> F,
{
    let give_up = Instant::now() + give_up_after;
    let mut wait = WAIT_FIRST;
    loop {
        let error = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let pause = error.retry_after().unwrap_or_default().max(jittered(rng, wait));
        if !error.is_transient() || Instant::now() + pause > give_up {
            return Err(error);
        }
        *retries += 1;
        sleep(pause).await;
        wait = (wait * 2).min(WAIT_MAX);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use holdfast_contracts::common::v1::Reason;
    use rand::SeedableRng as _;

    use super::*;

    fn refused(reason: Reason) -> CallError {
        CallError::Refused { reason, message: String::new(), retry_after: None }
    }

    async fn check(answers: &[Result<u8, CallError>], expect: Result<u8, Option<Reason>>, expect_retries: u64) {
        let (mut rng, mut retries, turn) = (StdRng::seed_from_u64(1), 0, Cell::new(0));
        let answer = until_answered(&mut rng, REPEAT_MAX, &mut retries, || {
            let answer = answers[turn.get().min(answers.len() - 1)].clone();
            turn.set(turn.get() + 1);
            async { answer }
        })
        .await;
        assert_eq!(answer.map_err(|error| error.reason()), expect);
        assert!(if expect_retries == u64::MAX { retries > 20 } else { retries == expect_retries }, "{retries}");
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_may_pass_is_repeated_and_not_for_ever() {
        check(&[Ok(1)], Ok(1), 0).await;
        let lost = || Err(CallError::Lost("connection reset".into()));
        check(&[lost(), Err(refused(Reason::Overloaded)), Ok(2)], Ok(2), 2).await;
        check(&[Err(refused(Reason::InsufficientStock))], Err(Some(Reason::InsufficientStock)), 0).await;
        check(&[lost(), Err(refused(Reason::PaymentTimeout))], Err(Some(Reason::PaymentTimeout)), 1).await;
        check(&[Err(refused(Reason::Unavailable))], Err(Some(Reason::Unavailable)), u64::MAX).await;
    }
}
