//! Why a monitor is scored with less than the best, for those who ask Redis and not this worker.

use super::Scorer;
use crate::service::status::Condition;
use crate::store::connect::{Connection, is_lost};
use redis::RedisResult;
use std::time::{Duration, Instant};

/// It is forgotten so long after it was told last, and told again meanwhile.
const KEPT: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_secs(5);

/// What was told last, and when.
#[derive(Debug, Default)]
pub(super) struct Told(Option<(String, Instant)>);

impl Scorer {
    /// Tells why detection is degraded, or that it isn't any more. A server that refuses is told nothing.
    pub(super) async fn tell_condition(&mut self, connection: &mut Connection) -> RedisResult<()> {
        let command = match (self.grade.condition(Condition::Ready), &self.told.0) {
            (Condition::Degraded { reason }, Some((told, at))) if *told == reason && at.elapsed() < AGAIN => {
                return Ok(());
            }
            (Condition::Degraded { reason }, _) => {
                let mut set = redis::cmd("SET");
                set.arg(self.keys.condition()).arg(&reason).arg("PX").arg(KEPT.as_millis() as u64);
                self.told.0 = Some((reason, Instant::now()));
                set
            }
            (_, None) => return Ok(()),
            (_, Some(_)) => {
                self.told.0 = None;
                redis::cmd("DEL").arg(self.keys.condition()).to_owned()
            }
        };
        match command.exec_async(connection).await {
            Err(error) if is_lost(&error) => Err(error),
            _ => Ok(()),
        }
    }
}
