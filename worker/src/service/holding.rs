//! Holding a monitor's lease: taken in turn, kept while it is this worker's turn, given back when it is another's.

use crate::observe::names;
use crate::service::sharing::{LONGEST, Turn};
use crate::store::connect::Connection;
use crate::store::lease::{Lease, Seen, Taking};
use eddyline_wire::keys::Companions;
use redis::RedisResult;
use std::time::{Duration, Instant};

/// A lease that is another's is looked at this often.
const LOOK: Duration = Duration::from_secs(1);
/// And this often by whose turn it is: its holder is about to give it back.
const LOOK_IN_TURN: Duration = Duration::from_millis(250);
/// A lease that was given back is left free this long for whose turn it is.
const GIVEN_BACK: Duration = LONGEST.saturating_mul(2);
/// Whoever let its turn pass is asked again after so long, and then after twice as long each time: it may have been
/// frozen for a moment that nobody else noticed.
const ASKED_AGAIN: Duration = Duration::from_secs(8);

/// Where things stand with a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// It was held before and is.
    Held,
    /// It is held from now on.
    Taken,
    /// It was held and isn't.
    Lost,
    /// It is held, and another's turn.
    Due,
    /// Another has it, or may take it; to be looked at again after so long.
    Elsewhere(Duration),
}

/// Nobody took the lease whose turn was before ours.
#[derive(Debug, Clone, Copy)]
struct Unwanted {
    round: u64,
    since: Instant,
    /// How long it is kept before they are asked again.
    keep: Duration,
}

impl Unwanted {
    fn holds(&self, turn: Turn) -> bool {
        self.round == turn.round && self.since.elapsed() < self.keep
    }
}

/// A lease, held or not.
#[derive(Debug, Default)]
pub(super) struct Holding {
    lease: Option<Lease>,
    free_since: Option<Instant>,
    /// The round in which it was given back.
    given_back: Option<u64>,
    unwanted: Option<Unwanted>,
}

impl Holding {
    /// The lease, if it is held.
    pub(super) fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }

    /// It is another's, or about to be given back: not ours any more.
    pub(super) fn drop_lease(&mut self) -> Option<Lease> {
        self.lease.take()
    }

    /// It is given back for whose turn it is.
    pub(super) fn give_back(&mut self, turn: Turn) {
        self.given_back = Some(turn.round);
        self.free_since = None;
    }

    /// Renews the lease when it is time to, or takes it when it is free and our turn.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub(super) async fn hold(
        &mut self,
        connection: &mut Connection,
        keys: &Companions,
        turn: Turn,
        worker: &str,
    ) -> RedisResult<Hold> {
        if let Some(lease) = &mut self.lease {
            if turn.place > 0 && !self.unwanted.is_some_and(|unwanted| unwanted.holds(turn)) {
                return Ok(Hold::Due);
            }
            if lease.keep(connection, &keys.lease()).await? {
                return Ok(Hold::Held);
            }
            metrics::counter!(names::LEASES, "change" => "lost").increment(1);
            self.lease = None;
            return Ok(Hold::Lost);
        }
        let wait = if self.given_back == Some(turn.round) { GIVEN_BACK } else { turn.wait() };
        if !wait.is_zero() {
            match Lease::look(connection, &keys.lease()).await? {
                Seen::Elsewhere(left) => return Ok(self.elsewhere(left, turn)),
                Seen::Free => {
                    let free = self.free_since.get_or_insert_with(Instant::now).elapsed();
                    if free < wait {
                        return Ok(Hold::Elsewhere((wait - free).min(LOOK)));
                    }
                }
            }
        }
        match Lease::take(connection, &keys.lease(), &keys.lease_tokens(), worker).await? {
            Taking::Taken(lease) => {
                metrics::counter!(names::LEASES, "change" => "taken").increment(1);
                self.lease = Some(lease);
                self.free_since = None;
                // Those before had their chance: to give it to them again and again would leave it alone half of the time.
                self.unwanted = (turn.place > 0).then(|| Unwanted {
                    round: turn.round,
                    since: Instant::now(),
                    keep: match self.unwanted {
                        Some(before) if before.round == turn.round => before.keep.saturating_mul(2),
                        _ => ASKED_AGAIN,
                    },
                });
                Ok(Hold::Taken)
            }
            Taking::Elsewhere(left) => Ok(self.elsewhere(left, turn)),
        }
    }

    fn elsewhere(&mut self, left: Option<Duration>, turn: Turn) -> Hold {
        self.free_since = None;
        let longest = if turn.place == 0 { LOOK_IN_TURN } else { LOOK };
        // A dead worker's lease is seen as soon as it runs out.
        let runs_out = left.map_or(longest, |left| left + Duration::from_millis(5));
        Hold::Elsewhere(runs_out.min(longest))
    }
}
