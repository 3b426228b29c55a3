//! One monitor's work: hold the lease, load what was learnt, then read, judge and write, slice by slice.
//!
//! The truth is the last id of the scores. Fingerprints up to it are learnt again in silence, later ones are judged and
//! written. Whatever goes wrong on the way (a refusal, another holder, a Redis that lost its last seconds), the state is
//! dropped and loaded anew from what Redis holds.

use crate::judging::announce::{self, Announced, Lapse};
use crate::judging::identity::Identity;
use crate::judging::judge::{Judge, NamedSchema};
use crate::judging::results::results;
use crate::logs::Notice;
use crate::observe::names;
use crate::service::context::Context;
use crate::service::holding::{Hold, Holding};
use crate::service::status::{Condition, MonitorStatus};
use crate::store::checkpoint;
use crate::store::connect::Connection;
use crate::store::lease::EXPIRY;
use crate::store::settings::Settings;
use crate::store::stream::{self, Entry, Held, RawEntry};
use crate::store::vector::Reader;
use crate::store::write::{Outcome, Results, Writer};
use eddyline_wire::alert::Alert;
use eddyline_wire::command::EntryId;
use eddyline_wire::fingerprint::Fingerprint;
use eddyline_wire::keys::{Companions, NameError};
use eddyline_wire::score::{Score, State as Judged};
use redis::{RedisError, RedisResult};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tracing::{info, warn};

/// Fingerprints read at once.
const PAGE: usize = 250;
/// Longest time to judge before the results are written and the lease is looked after.
const SLICE: Duration = Duration::from_millis(250);
/// A checkpoint is written after so many windows, and whenever an incident changed.
const CHECKPOINT_EVERY: u32 = 60;

/// How far a step came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Every fingerprint has its score.
    CaughtUp,
    /// There may be more to read at once.
    More,
    /// Another worker has the lease, or is to take it; to be looked at again after so long.
    Elsewhere(Duration),
}

/// What is known for sure to stand in Redis; outlives the state, to notice that Redis lost some of it.
#[derive(Debug, Default)]
struct Heard {
    scored: EntryId,
    announced: Vec<Announced>,
}

#[derive(Debug)]
struct State {
    judge: Judge,
    /// Last fingerprint judged.
    learnt: EntryId,
    /// Last id of the scores.
    scored: EntryId,
    announced: Vec<Announced>,
    schemas: BTreeMap<u64, Arc<NamedSchema>>,
    retention: u64,
    is_counted: bool,
    since_checkpoint: u32,
    condition: Condition,
}

/// One monitor's work.
#[derive(Debug)]
pub struct Scorer {
    context: Arc<Context>,
    identity: Identity,
    name: String,
    keys: Companions,
    writer: Writer,
    holding: Holding,
    settings: Settings,
    state: Option<State>,
    heard: Heard,
    vectors: Reader,
    unreadable: u64,
    unreadable_notice: Notice,
    /// When this worker first saw the monitor, ms since the epoch.
    began_ms: u64,
}

impl Scorer {
    /// For the monitor of this name.
    ///
    /// # Errors
    /// A name that can't be a monitor's.
    pub fn new(context: &Arc<Context>, monitor: &[u8]) -> Result<Self, NameError> {
        let keys = Companions::of(monitor)?;
        let name = eddyline_wire::text::printable(monitor, 128);
        let identity = Identity { deployment: context.deployment.clone(), monitor: monitor.to_vec(), db: context.db };
        Ok(Self {
            context: Arc::clone(context),
            vectors: Reader::new(&name),
            name,
            identity,
            writer: Writer::new(&keys),
            keys,
            holding: Holding::default(),
            settings: Settings::new(context.live.clone(), monitor),
            state: None,
            heard: Heard::default(),
            unreadable: 0,
            unreadable_notice: Notice::default(),
            began_ms: now_ms(),
        })
    }

    /// The monitor's name.
    #[must_use]
    pub fn monitor(&self) -> &[u8] {
        self.keys.monitor()
    }

    /// Last fingerprint known to have its score.
    #[must_use]
    pub fn scored(&self) -> EntryId {
        self.heard.scored
    }

    /// The connection was lost and found: what Redis holds now decides.
    pub fn reconnected(&mut self) {
        self.state = None;
    }

    /// Does what there is to do, for about [`SLICE`].
    ///
    /// # Errors
    /// Trouble with Redis. The next step starts from what Redis holds.
    pub async fn step(&mut self, connection: &mut Connection) -> RedisResult<Progress> {
        if let Some(progress) = self.hold(connection).await? {
            return Ok(progress);
        }
        self.settings.look(connection, &self.keys.settings(), &self.name).await?;
        let as_chosen = |state: &State| state.judge.choices() == self.settings.choices();
        let mut state = match self.state.take().filter(as_chosen) {
            Some(state) => state,
            None => self.load(connection).await?,
        };
        let page = stream::after(connection, &self.keys.fingerprints(), state.learnt, PAGE).await?;
        let page_is_full = page.len() == PAGE;
        let entries = self.read(connection, &mut state, &page).await?;
        stream::fetch_schemas(connection, &self.keys.schemas(), &entries, &mut state.schemas).await?;
        let count = entries.len();
        let (results, used) = tokio::task::block_in_place(|| self.judge(&mut state, entries));
        if !results.is_empty() && !self.write(connection, &mut state, &results).await? {
            return Ok(Progress::More);
        }
        tokio::task::block_in_place(|| {
            let began = Instant::now();
            state.judge.learn();
            metrics::histogram!(names::LEARNING).record(began.elapsed());
        });
        let is_behind = page_is_full || used < count;
        self.report(&state, is_behind);
        self.state = Some(state);
        Ok(if is_behind { Progress::More } else { Progress::CaughtUp })
    }

    /// The last step failed.
    pub fn failed(&mut self, error: &RedisError) {
        self.state = None;
        self.context.status.monitor(self.monitor(), |status| status.fail(&error.to_string()));
    }

    fn report(&self, state: &State, is_behind: bool) {
        self.context.status.monitor(self.keys.monitor(), |status| {
            status.condition = state.condition.clone();
            (status.scored, status.learnt, status.is_behind) = (state.scored, state.learnt, is_behind);
            status.open = state.announced.len() as u32;
            status.error = None;
        });
    }

    /// The page as fingerprints; of a vector monitor under the settings of now.
    async fn read(
        &mut self,
        connection: &mut Connection,
        state: &mut State,
        page: &[RawEntry],
    ) -> RedisResult<Vec<Entry>> {
        if state.is_counted || page.is_empty() {
            return stream::entries(page, None);
        }
        self.vectors.look(connection, &self.keys, page).await?;
        if let Some(schema) = self.vectors.schema() {
            state.schemas.entry(schema.id).or_insert_with(|| Arc::clone(schema));
        }
        stream::entries(page, Some(&mut self.vectors))
    }

    /// Leaves the monitor to others: the last checkpoint is written and the lease given back.
    ///
    /// # Errors
    /// Trouble with Redis; the lease runs out by itself then.
    pub async fn leave(&mut self, connection: &mut Connection) -> RedisResult<()> {
        let state = self.state.take();
        let Some(lease) = self.holding.drop_lease() else { return Ok(()) };
        let caught_up = state.filter(|state| state.learnt == state.scored);
        let bytes = caught_up.as_ref().and_then(|state| checkpoint::encode(&state.judge, state.learnt));
        let last = caught_up.map(|state| state.scored.to_string()).unwrap_or_default();
        lease.release(connection, &self.keys, &bytes.unwrap_or_default(), &last).await?;
        metrics::counter!(names::LEASES, "change" => "released").increment(1);
        Ok(())
    }

    /// Holds the lease; if that can't be, how far this step came.
    async fn hold(&mut self, connection: &mut Connection) -> RedisResult<Option<Progress>> {
        let turn = self.context.peers.turn(self.keys.monitor());
        match self.holding.hold(connection, &self.keys, turn, &self.context.worker).await? {
            Hold::Held => Ok(None),
            Hold::Taken => {
                info!(monitor = self.name, "working on this monitor");
                Ok(None)
            }
            Hold::Lost => {
                self.lose_lease();
                Ok(Some(Progress::More))
            }
            Hold::Due => {
                info!(monitor = self.name, "left to another worker");
                self.leave(connection).await?;
                self.holding.give_back(turn);
                Ok(Some(self.elsewhere(EXPIRY / 3)))
            }
            Hold::Elsewhere(look_again) => Ok(Some(self.elsewhere(look_again))),
        }
    }

    fn elsewhere(&self, look_again: Duration) -> Progress {
        self.context.status.monitor(self.monitor(), |status| {
            *status = MonitorStatus { condition: Condition::Elsewhere, ..MonitorStatus::default() };
        });
        Progress::Elsewhere(look_again)
    }

    fn lose_lease(&mut self) {
        warn!(monitor = self.name, "the lease ran out or is another worker's; what was learnt here is dropped");
        self.holding.drop_lease();
        self.state = None;
    }

    async fn load(&mut self, connection: &mut Connection) -> RedisResult<State> {
        let held = stream::held(connection, &self.keys).await?;
        let scored = held.scored;
        let mut announced = Vec::new();
        if let Some(alert) = &held.last_alert {
            announce::hear(&mut announced, alert);
        }
        if scored < self.heard.scored {
            warn!(monitor = self.name, had = %self.heard.scored, has = %scored, "Redis lost scores; they are made again");
        }
        // People heard of these, but Redis lost them.
        let lost = self.heard.announced.drain(..).filter(|known| known.opened_end_ms() > scored.ms);
        announced.extend(lost.map(|known| Announced { lapse: Lapse::Failover, ..known }));
        self.heard = Heard { scored, announced: announced.clone() };

        let mut schemas = BTreeMap::new();
        let resumed = match &held.checkpoint {
            Some(bytes) => self.resume(connection, bytes, scored, &mut schemas).await?,
            None => None,
        };
        let (judge, learnt) =
            resumed.unwrap_or_else(|| (Judge::new(self.settings.choices().clone()), EntryId::default()));
        let Held { retention, is_counted, .. } = held;
        let condition = Condition::Starting;
        Ok(State { judge, learnt, scored, announced, schemas, retention, is_counted, since_checkpoint: 0, condition })
    }

    async fn resume(
        &self,
        connection: &mut Connection,
        bytes: &[u8],
        scored: EntryId,
        schemas: &mut BTreeMap<u64, Arc<NamedSchema>>,
    ) -> RedisResult<Option<(Judge, EntryId)>> {
        let choices = self.settings.choices();
        let rebuild = |reason: &dyn std::fmt::Display| {
            warn!(monitor = self.name, "checkpoint not used, learning from the stream's history again: {reason}");
            count_checkpoint("refused");
            Ok(None)
        };
        let read = match checkpoint::decode(bytes, choices) {
            Ok(read) if read.last > scored => return rebuild(&"it is ahead of the scores"),
            Ok(read) => read,
            Err(error) => return rebuild(&error),
        };
        stream::fetch_schema(connection, &self.keys.schemas(), read.schema, schemas).await?;
        let Some(schema) = schemas.get(&read.schema) else { return rebuild(&"its schema is gone") };
        let last = read.last;
        match read.resume(choices.clone(), Arc::clone(schema)) {
            Ok(judge) => {
                count_checkpoint("resumed");
                Ok(Some((judge, last)))
            }
            Err(error) => rebuild(&error),
        }
    }

    /// Judges entries until the slice is over: what is to be written, and how many were judged.
    fn judge(&mut self, state: &mut State, entries: Vec<Entry>) -> (Vec<Results>, usize) {
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
            let score_and_alerts = self.judge_entry(state, &entry);
            metrics::histogram!(names::SCORING).record(judging.elapsed());
            if let Some(condition) = condition(&score_and_alerts.0) {
                state.condition = condition;
            }
            if entry.id > state.scored {
                let (score, alerts) = score_and_alerts;
                incident_changed |= !alerts.is_empty();
                results.push(Results { id: entry.id, score, alerts, checkpoint: None });
            }
        }
        if let Some(last) = results.last_mut()
            && (incident_changed || state.since_checkpoint >= CHECKPOINT_EVERY)
        {
            last.checkpoint = checkpoint::encode(&state.judge, state.learnt);
            state.since_checkpoint = 0;
        }
        (results, used)
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
        results(&mut state.judge, announced, &self.identity, fingerprint, schema).map_err(|error| error.to_string())
    }

    /// Writes results; says whether all stand. If not, the state is of no use any more.
    async fn write(
        &mut self,
        connection: &mut Connection,
        state: &mut State,
        results: &[Results],
    ) -> RedisResult<bool> {
        let Some(lease) = self.holding.lease() else { return Ok(false) };
        let outcomes = self.writer.write(connection, lease.token(), state.scored, state.retention, results).await?;
        for (result, outcome) in results.iter().zip(outcomes) {
            match outcome {
                Outcome::Written => {
                    state.scored = result.id;
                    self.heard.scored = result.id;
                    self.measure(result);
                    for alert in &result.alerts {
                        announce::hear(&mut self.heard.announced, alert);
                        let labels = [("event", alert.event.as_str()), ("severity", alert.severity.as_str())];
                        metrics::counter!(names::ALERTS, &labels).increment(1);
                        info!(
                            monitor = self.name,
                            incident = alert.incident,
                            event = alert.event.as_str(),
                            score = alert.score,
                            reason = alert.reason,
                            "{}",
                            alert.summary
                        );
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
    /// What a score that stands tells those who watch the worker.
    fn measure(&self, result: &Results) {
        metrics::counter!(names::SCORED).increment(1);
        if condition(&result.score).is_none() {
            metrics::counter!(names::NOT_JUDGED, "reason" => result.score.state.to_string()).increment(1);
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

fn count_checkpoint(outcome: &'static str) {
    metrics::counter!(names::CHECKPOINTS, "outcome" => outcome).increment(1);
}

/// What a score tells of the baseline; nothing where there was nothing to judge.
fn condition(score: &Score) -> Option<Condition> {
    match score.state {
        Judged::Warming { seen, needed } => Some(Condition::Warming { seen, needed }),
        Judged::Ready => Some(Condition::Ready),
        _ => None,
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
