//! From a page of fingerprints to results; whatever a window breaks stays within its monitor.

use super::{Scorer, State};
use crate::judging::judge::Judge;
use crate::judging::results::results;
use crate::observe::names;
use crate::service::fault;
use crate::service::grade::TOO_LONG;
use crate::service::missed::missed;
use crate::service::status::Condition;
use crate::store::checkpoint;
use crate::store::connect::Connection;
use crate::store::stream::Entry;
use crate::store::write::Results;
use eddyline_wire::alert::Alert;
use eddyline_wire::command::EntryId;
use eddyline_wire::fingerprint::Fingerprint;
use eddyline_wire::score::{Score, State as Judged};
use redis::RedisResult;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// Longest time to judge before the results are written and the lease is looked after.
const SLICE: Duration = Duration::from_millis(250);
/// A checkpoint is written after so many windows, and whenever an incident changed.
const CHECKPOINT_EVERY: u32 = 60;

impl Scorer {
    /// Notes how many windows were trimmed before the first of a page, where that is news.
    pub(super) async fn look_for_missed(
        &self,
        connection: &mut Connection,
        state: &mut State,
        next: Option<&Entry>,
    ) -> RedisResult<()> {
        let last = state.learnt.max(state.scored);
        let Some(next) = next.filter(|next| next.id > last) else { return Ok(()) };
        let schema = next.fingerprint.as_ref().ok().and_then(|fingerprint| state.schemas.get(&fingerprint.schema));
        let Some(window_ms) = schema.map(|schema| schema.record.window_ms) else { return Ok(()) };
        let windows = missed(connection, &self.keys.fingerprints(), last, next, window_ms).await?;
        state.missed = (windows > 0).then_some((next.id, windows));
        if windows > 0 {
            warn!(
                monitor = self.name, after = %last, before = %next.id, windows,
                "windows were trimmed from the stream of fingerprints before they were read"
            );
        }
        Ok(())
    }

    /// Judges entries until the slice is over: what is to be written, and how many were judged. None if one broke the model,
    /// which is loaded anew then.
    pub(super) fn judge(&mut self, state: &mut State, entries: Vec<Entry>) -> Option<(Vec<Results>, usize)> {
        let began = Instant::now();
        let (mut results, mut used, mut incident_changed) = (Vec::new(), 0, false);
        for entry in entries {
            if began.elapsed() > SLICE || self.context.is_leaving() {
                break;
            }
            used += 1;
            state.learnt = entry.id;
            state.since_checkpoint += 1;
            let judging = Instant::now();
            let is_new = entry.id > state.scored;
            let (mut score, alerts) = if self.grade.leaves_out(entry.id) {
                (Score::not_judged(Judged::Unreadable), Vec::new())
            } else {
                match self.attempt(entry.id, is_new, |scorer| scorer.judge_entry(state, &entry)) {
                    Some(score_and_alerts) => score_and_alerts,
                    None if !self.grade.is_robust() => return None,
                    None => {
                        // There is nothing behind the robust baseline but to start it anew.
                        state.judge = Judge::new(self.choices().into_owned());
                        (Score::not_judged(Judged::Unreadable), Vec::new())
                    }
                }
            };
            metrics::histogram!(names::SCORING).record(judging.elapsed());
            self.mind(judging.elapsed());
            if let Some(condition) = condition(&score) {
                state.condition = condition;
            }
            if is_new {
                score.missed = state.missed.take_if(|(id, _)| *id == entry.id).map_or(0, |(_, windows)| windows);
                incident_changed |= !alerts.is_empty();
                results.push(Results { id: entry.id, score, alerts, checkpoint: None });
            }
        }
        if let Some(last) = results.last_mut()
            && (incident_changed || state.since_checkpoint >= CHECKPOINT_EVERY)
            // The last good model stays for when full detection is tried again.
            && !self.grade.is_robust()
        {
            last.checkpoint = checkpoint::encode(&state.judge, state.learnt);
            state.since_checkpoint = 0;
        }
        Some((results, used))
    }

    /// Learns from what was judged last; says whether the state is of use after it.
    pub(super) fn learn(&mut self, state: &mut State) -> bool {
        let (began, last) = (Instant::now(), state.learnt);
        let learnt = self.attempt(last, true, |_| state.judge.learn()).is_some();
        metrics::histogram!(names::LEARNING).record(began.elapsed());
        self.mind(began.elapsed());
        learnt
    }

    /// Does something with a window. None if that panicked, in which case what it worked on is of no use any more.
    fn attempt<T>(&mut self, window: EntryId, is_new: bool, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let is_robust = self.grade.is_robust();
        let done = catch_unwind(AssertUnwindSafe(|| {
            if !is_robust {
                fault::strike(window);
            }
            work(self)
        }));
        match done {
            Ok(done) => Some(done),
            Err(panic) => {
                metrics::counter!(names::DEGRADED, "reason" => "panic").increment(1);
                let text = panic.downcast_ref::<&str>().map(ToString::to_string);
                let why = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
                if self.grade.broke(window, is_new, &eddyline_wire::text::printable(why.as_bytes(), 256)) {
                    self.say_degraded();
                }
                None
            }
        }
    }

    /// Work on a window took so long.
    fn mind(&mut self, took: Duration) {
        if took >= TOO_LONG {
            metrics::counter!(names::DEGRADED, "reason" => "slow").increment(1);
            if self.grade.dragged(took) {
                self.say_degraded();
            }
        }
    }

    fn say_degraded(&self) {
        if let Condition::Degraded { reason } = self.grade.condition(Condition::Ready) {
            warn!(monitor = self.name, "degraded: {reason}");
        }
    }

    /// A new window went well.
    pub(super) fn recover(&mut self) {
        if self.grade.pass() {
            info!(monitor = self.name, "not degraded any more: full detection is in charge again");
        }
    }

    fn judge_entry(&mut self, state: &mut State, entry: &Entry) -> (Score, Vec<Alert>) {
        let judged = entry
            .fingerprint
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|fingerprint| self.judge_fingerprint(state, fingerprint, entry.id > state.scored));
        match judged {
            Ok(judged) => {
                if self.unreadable_notice.is_over() {
                    info!(monitor = self.name, unreadable = self.unreadable, "fingerprints can be read again");
                }
                judged
            }
            Err(reason) => {
                self.unreadable += 1;
                if self.unreadable_notice.is_news(&reason) {
                    warn!(monitor = self.name, id = %entry.id, "fingerprint left out of the baseline: {reason}");
                }
                (Score::not_judged(Judged::Unreadable), Vec::new())
            }
        }
    }

    fn judge_fingerprint(
        &self,
        state: &mut State,
        fingerprint: &Fingerprint,
        announce: bool,
    ) -> Result<(Score, Vec<Alert>), String> {
        let schema = state.schemas.get(&fingerprint.schema).ok_or_else(|| {
            format!("schema {} isn't known", eddyline_wire::fingerprint::schema_id(fingerprint.schema))
        })?;
        let announced = announce.then_some(&mut state.announced);
        let judged = results(&mut state.judge, announced, &self.identity, fingerprint, schema);
        let (score, mut alerts) = judged.map_err(|error| error.to_string())?;
        if announce {
            self.context.markers.attach(self.keys.monitor(), &mut alerts);
            if let Some(held) = &score.held {
                metrics::counter!(names::HELD_BACK, "reason" => held.clone()).increment(1);
            }
        }
        Ok((score, alerts))
    }
}

/// What a score tells of the baseline; nothing where there was nothing to judge.
pub(super) fn condition(score: &Score) -> Option<Condition> {
    match score.state {
        Judged::Warming { seen, needed } => Some(Condition::Warming { seen, needed }),
        Judged::Ready => Some(Condition::Ready),
        _ => None,
    }
}
