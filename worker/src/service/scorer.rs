//! One monitor's work: hold the lease, load what was learnt, then read, judge and write, slice by slice.
//!
//! The truth is the last id of the scores. Fingerprints up to it are learnt again in silence, later ones are judged and
//! written. Whatever goes wrong on the way (a refusal, another holder, a Redis that lost its last seconds), the state is
//! dropped and loaded anew from what Redis holds.

mod anew;
mod judging;
mod loading;
mod silence;
mod telling;
mod writing;

use crate::judging::announce::Announced;
use crate::judging::identity::Identity;
use crate::judging::judge::{Judge, NamedSchema};
use crate::logs::Notice;
use crate::observe::names;
use crate::service::context::Context;
use crate::service::grade::Grade;
use crate::service::holding::{Hold, Holding};
use crate::service::overdue::Overdue;
use crate::service::status::{Condition, MonitorStatus};
use crate::store::checkpoint;
use crate::store::connect::{Connection, told};
use crate::store::lease::{EXPIRY, RENEWAL};
use crate::store::settings::Settings;
use crate::store::stream::{self, Entry, RawEntry};
use crate::store::vector::Reader;
use crate::store::write::Writer;
use eddyline_wire::alert::Alert;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::{Companions, NameError};
use redis::{RedisError, RedisResult};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::sleep;
use tracing::{info, warn};

/// Fingerprints read at once.
const PAGE: usize = 250;

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
    /// Last message about incidents.
    said: EntryId,
    schemas: BTreeMap<u64, Arc<NamedSchema>>,
    retention: u64,
    is_counted: bool,
    since_checkpoint: u32,
    condition: Condition,
    /// Before this fingerprint so many windows were trimmed.
    missed: Option<(EntryId, u64)>,
}

impl State {
    /// A message about an incident stands.
    fn hear(&mut self, alert: &Alert) {
        self.said = EntryId::parse(alert.entry.as_bytes()).unwrap_or_default().max(self.said);
    }
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
    grade: Grade,
    settings: Settings,
    state: Option<State>,
    heard: Heard,
    vectors: Reader,
    unreadable: u64,
    unreadable_notice: Notice,
    overdue: Overdue,
    told: telling::Told,
    /// When the ends of both streams were compared last.
    streams_seen: Option<Instant>,
    began_anew: Notice,
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
            grade: Grade::default(),
            settings: Settings::new(context.live.clone(), monitor),
            state: None,
            heard: Heard::default(),
            unreadable: 0,
            unreadable_notice: Notice::default(),
            overdue: Overdue::default(),
            told: telling::Told::default(),
            streams_seen: None,
            began_anew: Notice::default(),
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
        let context = Arc::clone(&self.context);
        let _seat = match self.seat(connection, &context.seats).await? {
            Ok(seat) => seat,
            Err(progress) => return Ok(progress),
        };
        self.settings.look(connection, &self.keys.settings(), &self.name).await?;
        let choices = self.choices().into_owned();
        let as_chosen = |mut state: State| state.judge.choose(&choices).is_ok().then_some(state);
        let mut state = match self.state.take().and_then(as_chosen) {
            Some(state) => state,
            None => self.load(connection).await?,
        };
        let page = stream::after(connection, &self.keys.fingerprints(), state.learnt, PAGE).await?;
        if page.is_empty() && !self.look_for_streams(connection, &state).await? {
            return Ok(Progress::More);
        }
        let page_is_full = page.len() == PAGE;
        let entries = self.read(connection, &mut state, &page).await?;
        stream::fetch_schemas(connection, &self.keys.schemas(), &entries, &mut state.schemas).await?;
        self.look_for_missed(connection, &mut state, entries.first()).await?;
        let count = entries.len();
        let Some((results, used)) = tokio::task::block_in_place(|| self.judge(&mut state, entries)) else {
            return Ok(Progress::More);
        };
        if let Some(series) = state.judge.series() {
            self.settings.compare(series, &self.name);
        }
        if !results.is_empty() && !self.write(connection, &mut state, &results).await? {
            return Ok(Progress::More);
        }
        if !tokio::task::block_in_place(|| self.learn(&mut state)) {
            return Ok(Progress::More);
        }
        let is_behind = page_is_full || used < count;
        if !is_behind && !state.is_counted && !self.look_for_silence(connection, &mut state).await? {
            return Ok(Progress::More);
        }
        self.report(&state, is_behind);
        self.tell_condition(connection).await?;
        self.state = Some(state);
        Ok(if is_behind { Progress::More } else { Progress::CaughtUp })
    }

    /// Waits for a seat and keeps the lease meanwhile; how far this step came, if the lease was lost.
    async fn seat<'a>(
        &mut self,
        connection: &mut Connection,
        seats: &'a Semaphore,
    ) -> RedisResult<Result<SemaphorePermit<'a>, Progress>> {
        let seat = seats.acquire();
        tokio::pin!(seat);
        loop {
            tokio::select! {
                biased;
                seat = &mut seat => return Ok(Ok(seat.expect("it is never closed"))),
                () = sleep(RENEWAL) => {
                    if self.context.is_leaving() {
                        return Ok(Err(Progress::More));
                    }
                    if let Some(progress) = self.hold(connection).await? {
                        return Ok(Err(progress));
                    }
                }
            }
        }
    }

    /// The last step failed.
    pub fn failed(&mut self, error: &RedisError) {
        self.state = None;
        self.context.status.monitor(self.monitor(), |status| status.fail(&told(error)));
    }

    fn report(&self, state: &State, is_behind: bool) {
        self.context.status.monitor(self.keys.monitor(), |status| {
            status.condition = self.grade.condition(state.condition.clone());
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
        if !self.context.is_leaving() {
            self.look_for_end(connection).await?;
        }
        let state = self.state.take();
        let Some(lease) = self.holding.drop_lease() else { return Ok(()) };
        let caught_up = state.filter(|state| state.learnt == state.scored && !self.grade.is_robust());
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
}

fn count_checkpoint(outcome: &'static str) {
    metrics::counter!(names::CHECKPOINTS, "outcome" => outcome).increment(1);
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
