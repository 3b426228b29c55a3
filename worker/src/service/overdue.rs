//! Notices that the vectors of a monitor stopped coming.

use crate::judging::overdue::Silence;
use crate::store::connect::Connection;
use crate::store::overdue;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::Companions;
use redis::RedisResult;

/// What lies further back than so many times the longest usual pause, and than an hour, when it is first seen is history that
/// somebody added, and doesn't live by the clock.
const LIVES: u64 = 20;
const HOUR_MS: u64 = 3_600_000;

/// The wait for the next vector.
#[derive(Debug, Default)]
pub(super) struct Overdue {
    /// The last vector, and its age when it was first seen.
    last: EntryId,
    age_ms: u64,
    due: Due,
}

#[derive(Debug, Clone, Copy, Default)]
enum Due {
    /// Not looked up.
    #[default]
    Unknown,
    /// Nobody can say, or nobody waits.
    Never,
    /// Then.
    Within(u64, usize),
}

impl Overdue {
    /// Whether the next vector after `last` should have come by now. Asks Redis once a vector, and only where it is late.
    pub(super) async fn look(
        &mut self,
        connection: &mut Connection,
        keys: &Companions,
        last: EntryId,
        window_ms: u64,
        now_ms: u64,
    ) -> RedisResult<Option<Silence>> {
        let age_ms = now_ms.saturating_sub(last.ms);
        if last != self.last {
            *self = Self { last, age_ms, due: Due::Unknown };
        }
        if matches!(self.due, Due::Unknown) && age_ms > window_ms.saturating_mul(2) {
            self.due = match overdue::within(connection, keys, window_ms).await? {
                Some((within_ms, known)) if self.age_ms <= LIVES.saturating_mul(within_ms).max(HOUR_MS) => {
                    Due::Within(within_ms, known)
                }
                _ => Due::Never,
            };
        }
        Ok(match self.due {
            Due::Within(within_ms, known) if age_ms >= within_ms => Some(Silence { last, within_ms, window_ms, known }),
            _ => None,
        })
    }
}
