//! Results on their way to Redis, and what is told once they stand there.

use super::judging::condition;
use super::{Scorer, State, count_checkpoint, now_ms};
use crate::judging::announce;
use crate::observe::names;
use crate::store::connect::Connection;
use crate::store::write::{Outcome, Results};
use eddyline_wire::alert::Alert;
use redis::RedisResult;
use std::time::Duration;
use tracing::{info, warn};

impl Scorer {
    /// Writes results; says whether all stand. If not, the state is of no use any more.
    pub(super) async fn write(
        &mut self,
        connection: &mut Connection,
        state: &mut State,
        results: &[Results],
    ) -> RedisResult<bool> {
        let Some(lease) = self.holding.lease() else { return Ok(false) };
        let outcomes = self.writer.write(connection, lease.token(), state.scored, state.retention, results).await?;
        for (result, outcome) in results.iter().zip(outcomes) {
            match outcome {
                Outcome::Written { unsaid } => {
                    state.scored = result.id;
                    self.heard.scored = result.id;
                    self.measure(result);
                    if condition(&result.score).is_some() {
                        self.recover();
                    }
                    if unsaid > 0 {
                        metrics::counter!(names::UNSAID).increment(unsaid);
                        warn!(
                            monitor = self.name,
                            id = %result.id,
                            messages = unsaid,
                            "the stream of incidents goes on behind messages of this window and doesn't take them: nobody \
                             is told"
                        );
                    }
                    for alert in &result.alerts {
                        state.hear(alert);
                        self.hear(alert);
                    }
                }
                Outcome::Fenced => {
                    self.lose_lease();
                    return Ok(false);
                }
                Outcome::Duplicate | Outcome::Behind => {
                    warn!(monitor = self.name, id = %result.id, ?outcome, "the scores aren't where they were left");
                    return Ok(false);
                }
                Outcome::Refused(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// People hear of it.
    pub(super) fn hear(&mut self, alert: &Alert) {
        announce::hear(&mut self.heard.announced, alert);
        let labels = [("event", alert.event.as_str()), ("severity", alert.severity.as_str())];
        metrics::counter!(names::ALERTS, &labels).increment(1);
        let (event, score) = (alert.event.as_str(), alert.score);
        info!(monitor = self.name, incident = alert.incident, event, score, reason = alert.reason, "{}", alert.summary);
    }

    /// What a score that stands tells those who watch the worker.
    fn measure(&self, result: &Results) {
        metrics::counter!(names::SCORED).increment(1);
        if condition(&result.score).is_none() {
            metrics::counter!(names::NOT_JUDGED, "reason" => result.score.state.to_string()).increment(1);
        }
        if result.score.missed > 0 {
            metrics::counter!(names::MISSED).increment(result.score.missed);
        }
        if result.checkpoint.is_some() {
            count_checkpoint("written");
        }
        // What ended before this worker saw the monitor is history: how late it is scored says nothing.
        if result.id.ms >= self.began_ms {
            let lag = now_ms().saturating_sub(result.id.ms);
            metrics::histogram!(names::LAG).record(Duration::from_millis(lag));
            self.context.status.monitor(self.monitor(), |status| status.lag_ms = Some(lag));
        }
    }
}
