//! One monitor that this worker counts: hold the lease, load the monitor, then look, count and write, step by step.
//!
//! The truth is the state in Redis, which is written together with the windows that closed. Whatever goes wrong on the way,
//! the state of this process is dropped and loaded anew; the entries since are then read once more, with the same outcome.

use super::keep::{Keeper, Outcome, Step, Windows};
use super::source::{self, Look, Stream};
use super::state::{Followed, HEADER, State, StateError};
use super::time::{Moved, up_to_entry, up_to_now};
use super::translate::{fingerprint, record};
use crate::logs::Notice;
use crate::observe::names;
use crate::store::connect::Connection;
use crate::store::lease::{EXPIRY, Lease, Taking};
use eddyline_monitor::{EntryId, LeftOut, Monitor, Reading};
use eddyline_wire::command::create::Create;
use eddyline_wire::fingerprint::id as window_id;
use eddyline_wire::text::printable;
use redis::{ErrorKind, RedisResult};
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// Most entries of all streams read at once, and most bytes; fewer of larger ones.
const PAGE: usize = 1000;
const PAGE_BYTES: usize = 4 << 20;
/// Longest time to count before the lease is looked after.
const SLICE: Duration = Duration::from_millis(250);
/// Most windows written at once, and most bytes of them.
const WINDOWS: usize = 250;
const WINDOW_BYTES: usize = 1 << 20;
/// The state is written with every window, and this often while a window lasts.
const KEPT_EVERY: Duration = Duration::from_secs(5);
/// A server that took this long to answer, or whose clock leapt this far, wasn't there: empty windows of that time aren't data.
const ABSENT: Duration = Duration::from_secs(3);

/// How far a step came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Every entry is counted; the open window ends in so long, if one is open.
    CaughtUp(Option<Duration>),
    /// There is more to do at once.
    More,
    /// Another worker counts, for so long unless it renews its lease.
    Elsewhere(Duration),
}

/// The state at work.
#[derive(Debug)]
struct Work {
    state: State,
    /// First bytes of the state in Redis; empty where there is none.
    kept: Vec<u8>,
    kept_at: Instant,
    /// Whether anything was counted since.
    changed: bool,
    /// End of the newest window in the stream of fingerprints, ms since the epoch.
    written_ms: u64,
    /// The server's clock and ours, when last looked at.
    looked: Option<(u64, Instant)>,
    /// What was left out as far as it was told.
    told: LeftOut,
}

/// One monitor that is counted here.
#[derive(Debug)]
pub struct Counter {
    create: Create,
    name: String,
    worker: String,
    keeper: Keeper,
    lease: Option<Lease>,
    work: Option<Work>,
    page: usize,
    trimmed: Notice,
}

impl Counter {
    /// For this monitor, by the worker process of that name.
    #[must_use]
    pub fn new(create: Create, worker: &str) -> Self {
        Self {
            name: printable(create.keys.monitor(), 128),
            worker: worker.to_owned(),
            keeper: Keeper::new(&create.keys),
            create,
            lease: None,
            work: None,
            page: PAGE,
            trimmed: Notice::default(),
        }
    }

    /// The monitor's name, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The connection was lost: what Redis holds decides.
    pub fn disconnected(&mut self) {
        self.work = None;
    }

    /// Does what there is to do, for about [`SLICE`].
    ///
    /// # Errors
    /// Trouble with Redis. The next step starts from what Redis holds.
    pub async fn step(&mut self, connection: &mut Connection) -> RedisResult<Progress> {
        if let Some(left) = self.hold(connection).await? {
            return Ok(Progress::Elsewhere(left));
        }
        let mut work = match self.work.take() {
            Some(work) => work,
            None => self.load(connection).await?,
        };
        let mut progress = Progress::More;
        // the windows of the last step first: there is room for those of the next
        if work.state.monitor.outbox().is_none() && !work.kept.is_empty() {
            let look = self.look(connection, &mut work).await?;
            if self.follow(connection, &mut work, &look).await? {
                let deadline = Instant::now() + SLICE;
                progress = tokio::task::block_in_place(|| count(&mut work, look, deadline));
            }
        }
        self.tell(&mut work);
        let due = work.kept.is_empty() || (work.changed && work.kept_at.elapsed() >= KEPT_EVERY);
        if due || work.state.monitor.outbox().is_some() {
            self.leave_out_what_stands(connection, &mut work).await?;
            let windows = take(&mut work.state.monitor);
            if !self.keep(connection, &mut work, windows, false).await? {
                return Ok(Progress::More);
            }
        }
        if work.state.monitor.outbox().is_some() {
            progress = Progress::More;
        }
        self.work = Some(work);
        Ok(progress)
    }

    /// Leaves the monitor to others: its state is written and the lease given back.
    ///
    /// # Errors
    /// Trouble with Redis; the lease runs out by itself then, and what wasn't written is read again.
    pub async fn leave(&mut self, connection: &mut Connection) -> RedisResult<()> {
        if let Some(mut work) = self.work.take().filter(|work| work.state.monitor.outbox().is_none()) {
            self.keep(connection, &mut work, None, true).await?;
        }
        self.lease = None;
        Ok(())
    }

    async fn hold(&mut self, connection: &mut Connection) -> RedisResult<Option<Duration>> {
        let keys = &self.create.keys;
        if let Some(lease) = &mut self.lease {
            if lease.keep(connection, &keys.counting_lease()).await? {
                return Ok(None);
            }
            self.lose_lease();
        }
        let keys = &self.create.keys;
        match Lease::take(connection, &keys.counting_lease(), &keys.lease_tokens(), &self.worker).await? {
            Taking::Taken(lease) => {
                info!(monitor = self.name, token = lease.token().as_str(), "counting this monitor");
                self.lease = Some(lease);
                self.work = None;
                Ok(None)
            }
            // One that never runs out is looked at again all the same.
            Taking::Elsewhere(left) => Ok(Some(left.unwrap_or(EXPIRY))),
        }
    }

    fn lose_lease(&mut self) {
        warn!(
            monitor = self.name,
            "the lease for counting ran out or is another worker's; entries since are read again"
        );
        self.lease = None;
        self.work = None;
    }

    async fn load(&mut self, connection: &mut Connection) -> RedisResult<Work> {
        let keys = &self.create.keys;
        let bytes: Option<Vec<u8>> = redis::cmd("GET").arg(keys.counting()).query_async(connection).await?;
        let kept = bytes.as_deref().map(|bytes| bytes[..bytes.len().min(HEADER)].to_vec()).unwrap_or_default();
        let read = match bytes.as_deref().map(State::decode) {
            None => None,
            Some(Ok(state)) => Some(state),
            Some(Err(error @ StateError::Newer(_))) => {
                return Err((ErrorKind::Client, "can't be counted", error.to_string()).into());
            }
            Some(Err(error)) => {
                warn!(monitor = self.name, "counting starts anew, as if for the first time: {error}");
                None
            }
        };
        let was = read.as_ref().map(State::encode);
        let mut state = super::load::suited(connection, &self.create, &self.name, read).await?;
        super::load::meet(connection, &mut state.presence).await?;
        let changed = was != Some(state.encode());
        let written_ms = super::load::last_window(connection, &keys.fingerprints()).await?;
        let told = state.monitor.left_out().clone();
        Ok(Work { state, kept, kept_at: Instant::now(), changed, written_ms, looked: None, told })
    }

    /// Looks at the streams, and whether the server was there since it was looked at last.
    async fn look(&mut self, connection: &mut Connection, work: &mut Work) -> RedisResult<Look> {
        let sources = work.state.monitor.sources();
        let began = Instant::now();
        let count = (self.page / sources.len().max(1)).max(1);
        let look = source::look(connection, sources, count).await?;
        let ended = Instant::now();
        let leapt = work
            .looked
            .is_some_and(|(ms, at)| look.now_ms.saturating_sub(ms) > (ended - at + ABSENT).as_millis() as u64);
        let since_ms = &mut work.state.presence.since_ms;
        if ended - began > ABSENT || leapt || since_ms.is_none() {
            *since_ms = Some(look.now_ms);
        }
        work.looked = Some((look.now_ms, ended));
        let entries = || look.streams.iter().flatten().flat_map(|stream| &stream.page);
        let bytes: usize = entries().flat_map(|(_, fields)| fields).map(Vec::len).sum();
        self.page = match bytes {
            _ if bytes > PAGE_BYTES => (self.page / 2).max(sources.len()),
            _ => (self.page * 2).min(PAGE.max(sources.len())),
        };
        Ok(look)
    }

    /// Holds every cursor against its stream, and tells the monitor what can't be read any more; says whether the look is of
    /// use, or must be taken again from other cursors.
    async fn follow(&mut self, connection: &mut Connection, work: &mut Work, look: &Look) -> RedisResult<bool> {
        let mut of_use = true;
        let (mut lost, mut since) = (0, u64::MAX);
        for (i, found) in look.streams.iter().enumerate() {
            let source = work.state.monitor.sources()[i].clone();
            let followed = &mut work.state.followed[i];
            let Some(stream) = found else {
                followed.gone = true;
                continue;
            };
            if is_another(followed, stream) {
                let start = if source::holds(connection, &source.name, source.cursor).await? {
                    source.cursor
                } else {
                    of_use = false;
                    EntryId::default()
                };
                *followed = stream.followed(start);
                work.state.monitor.set_cursor(i, start, &stream.extent());
                work.changed = true;
                continue;
            }
            if followed.gone || stream.last < followed.last {
                // it came for the first time; or it was told that its last id is an earlier one
                let start = if followed.gone { source.cursor } else { source.cursor.min(stream.last) };
                *followed = stream.followed(start);
                work.state.monitor.set_cursor(i, start, &stream.extent());
                work.changed = true;
            }
            followed.last = stream.last;
            let missing = stream.behind(work.state.monitor.sources()[i].cursor).and_then(|behind| {
                let expected = stream.added?.checked_sub(followed.read?)?;
                expected.checked_sub(behind).filter(|missing| *missing > 0)
            });
            if let Some(missing) = missing {
                followed.read = followed.read.map(|read| read + missing);
                lost += missing;
                let resumes = if stream.length > 0 { stream.first.ms } else { stream.last.ms.saturating_add(1) };
                since = since.min(resumes);
            }
        }
        if lost > 0 {
            let unread = look.streams.iter().flatten().filter_map(|stream| Some(stream.page.first()?.0.ms));
            work.state.monitor.missed(lost, unread.chain([since]).min().unwrap_or(since));
            work.changed = true;
            if self.trimmed.is_news("trimmed") {
                warn!(
                    monitor = self.name,
                    entries = lost,
                    "entries went from the stream before they were counted: the next fingerprint says gap. Raise the MAXLEN \
                     with which they are added"
                );
            }
        } else if of_use && self.trimmed.is_over() {
            info!(monitor = self.name, "no entries go uncounted any more");
        }
        Ok(of_use)
    }

    /// Windows whose place in the stream is taken: those that stand there were written before, others can't be any more.
    async fn leave_out_what_stands(&mut self, connection: &mut Connection, work: &mut Work) -> RedisResult<()> {
        let mut lost = 0_u64;
        while let (Some(closed), Some(schema)) = (work.state.monitor.outbox(), work.state.monitor.schema()) {
            if closed.end_ms > work.written_ms {
                break;
            }
            let ours = fingerprint(closed, schema);
            let key = self.create.keys.fingerprints();
            if super::load::stands(connection, &key, &ours).await? {
                work.state.monitor.sent(ours.end_ms);
            } else {
                work.state.monitor.lose(ours.end_ms);
                lost += 1;
            }
            work.changed = true;
        }
        if lost > 0 {
            let last = window_id(work.written_ms);
            warn!(
                monitor = self.name,
                windows = lost,
                "windows are lost, their stream goes on behind them up to {last}: somebody else wrote there, or it is counted \
                 anew. The next fingerprint says gap; DEL the stream if its entries are wrong"
            );
        }
        Ok(())
    }

    /// Writes a step; says whether it stands. If not, the work is of no use any more.
    async fn keep(
        &mut self,
        connection: &mut Connection,
        work: &mut Work,
        windows: Option<Windows>,
        leaves: bool,
    ) -> RedisResult<bool> {
        let Some(lease) = &self.lease else { return Ok(false) };
        let bytes = work.state.encode();
        let step = Step {
            token: lease.token(),
            before: &work.kept,
            state: &bytes,
            retention: work.state.monitor.definition().retention,
            windows: windows.as_ref(),
            leaves,
        };
        let began = Instant::now();
        let outcome = self.keeper.keep(connection, &step).await?;
        if began.elapsed() > ABSENT {
            work.state.presence.since_ms = None;
        }
        match outcome {
            Outcome::Kept => {
                work.kept = bytes[..HEADER].to_vec();
                (work.kept_at, work.changed) = (Instant::now(), false);
                if let Some(last) = windows.and_then(|windows| windows.fingerprints.last().map(|last| last.end_ms)) {
                    work.written_ms = last;
                }
                Ok(true)
            }
            Outcome::Fenced => {
                self.lose_lease();
                Ok(false)
            }
            Outcome::Elsewhere => {
                warn!(
                    monitor = self.name,
                    "what was counted isn't as it was left in Redis; counting goes on from what is there"
                );
                Ok(false)
            }
        }
    }

    fn tell(&self, work: &mut Work) {
        let (now, before) = (work.state.monitor.left_out(), &work.told);
        let reasons = [
            ("late", now.late, before.late),
            ("out-of-time", now.out_of_time, before.out_of_time),
            ("skipped", now.skipped, before.skipped),
            ("trimmed", now.passed.trimmed, before.passed.trimmed),
        ];
        for (reason, now, before) in reasons {
            if now > before {
                metrics::counter!(names::ENTRIES_LEFT_OUT, "reason" => reason).increment(now - before);
            }
        }
        work.told = now.clone();
    }
}

/// Whether another stream stands under the name than was followed there.
fn is_another(followed: &Followed, stream: &Stream) -> bool {
    let came_back = followed.gone && followed.last != EntryId::default();
    let fewer = followed.read.zip(stream.added).is_some_and(|(read, added)| added < read);
    let rewound = stream.last < followed.last && stream.added.is_none();
    came_back || fewer || rewound
}

/// Counts what was found, the streams merged by their ids, then moves time.
fn count(work: &mut Work, look: Look, deadline: Instant) -> Progress {
    let mut counted = 0;
    let progress = count_until(&mut work.state, look, deadline, &mut counted);
    metrics::counter!(names::ENTRIES).increment(counted);
    work.changed |= counted > 0;
    progress
}

fn count_until(state: &mut State, look: Look, deadline: Instant, counted: &mut u64) -> Progress {
    let State { monitor, followed, presence } = state;
    let mut streams = look.streams;
    // behind the end of a page there may be older entries than in another
    let pages = streams.iter().flatten().filter(|stream| !stream.whole);
    let limit = pages.filter_map(|stream| stream.page.last().map(|(id, _)| *id)).min();
    let mut heads: Vec<_> = streams
        .iter_mut()
        .map(|stream| {
            stream.as_mut().map(|stream| std::mem::take(&mut stream.page)).unwrap_or_default().into_iter().peekable()
        })
        .collect();
    loop {
        let next = heads.iter_mut().enumerate().filter_map(|(i, head)| head.peek().map(|(id, _)| (*id, i))).min();
        let Some((id, i)) = next.filter(|(id, _)| limit.is_none_or(|limit| *id <= limit)) else { break };
        if Instant::now() >= deadline || up_to_entry(monitor, presence, id.ms, deadline) == Moved::Part {
            return Progress::More;
        }
        let Some((id, fields)) = heads[i].next() else { break };
        let fields = fields.as_chunks::<2>().0.iter().map(|[field, value]| (field.as_slice(), value.as_slice()));
        match monitor.read(i, id, fields) {
            Reading::Waits => return Progress::More,
            Reading::Known => {}
            Reading::Counted | Reading::LeftOut => {
                followed[i].read = followed[i].read.map(|read| read + 1);
                *counted += 1;
            }
        }
    }
    if limit.is_some() {
        return Progress::More;
    }
    for (i, stream) in streams.iter().enumerate() {
        let Some(added) = stream.as_ref().and_then(|stream| stream.added) else { continue };
        // deleted one by one, among those that were read
        let missing = followed[i].read.map_or(0, |read| added.saturating_sub(read));
        if missing > 0 {
            monitor.missed(missing, 0);
        }
        followed[i].read = Some(added);
    }
    monitor.set_following(true);
    match up_to_now(monitor, presence, look.now_ms, deadline) {
        Moved::Part => Progress::More,
        Moved::Whole => {
            let left = |(_, end): (u64, u64)| Duration::from_millis(end.saturating_sub(look.now_ms));
            Progress::CaughtUp(monitor.open_window().map(left))
        }
    }
}

/// Takes windows out of the outbox, oldest first, as many as are written at once.
fn take(monitor: &mut Monitor) -> Option<Windows> {
    let schema = monitor.schema()?.clone();
    let (mut fingerprints, mut bytes) = (Vec::new(), 0);
    while fingerprints.len() < WINDOWS && bytes < WINDOW_BYTES {
        let Some(closed) = monitor.outbox() else { break };
        let fingerprint = fingerprint(closed, &schema);
        bytes += 4 * fingerprint.values.len() + eddyline_wire::fingerprint::MAX_TOP;
        monitor.sent(fingerprint.end_ms);
        fingerprints.push(fingerprint);
    }
    (!fingerprints.is_empty()).then(|| Windows { schema: schema.id, record: record(&schema), fingerprints })
}
