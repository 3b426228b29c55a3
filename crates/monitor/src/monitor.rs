//! The monitor: observations in, closed windows out.

use crate::closed::Closed;
use crate::definition::{Clock, Definition, DefinitionError, MAX_MS};
use crate::fields::Fields;
use crate::learning::{Learner, Progress};
use crate::outbox::Outbox;
use crate::schema::Schema;
use crate::source::{EntryId, Extent, Source};
use crate::tally::{LeftOut, Reason};
use crate::timeline::{Step, Timeline};
use crate::window::Window;
use serde::{Deserialize, Serialize};

/// One monitor: what to watch, the open window, the long memory, and what waits to be written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Monitor {
    pub(crate) definition: Definition,
    pub(crate) sources: Vec<Source>,
    pub(crate) following: bool,
    pub(crate) displaced: bool,
    pub(crate) timeline: Timeline,
    pub(crate) state: State,
    pub(crate) outbox: Outbox,
    pub(crate) last: Option<Closed>,
    pub(crate) left_out: LeftOut,
    observations: u64,
    /// This and what follows stands apart in the encoding, which didn't have it at first.
    #[serde(skip)]
    pub(crate) paused: bool,
    /// A part of the open window wasn't watched.
    #[serde(skip)]
    pub(crate) interrupted: bool,
    #[serde(skip)]
    schema: Option<Schema>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum State {
    Learning(Learner),
    Counting(Box<Window>),
}

/// Whether the fields are fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not yet.
    Learning(Progress),
    /// Yes.
    Counting,
}

/// What became of a source's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It was counted, in a new window where its time says so.
    Counted,
    /// It lies at or below the cursor: it was counted before.
    Known,
    /// It is older than the open window, beyond all time, or came while the monitor was paused: counted as left out.
    LeftOut,
    /// The outbox is full: it was not read, and the monitor no longer follows its sources.
    Waits,
}

/// An observation came before any window was open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no window is open: with CLOCK stream only entries of a source and EDDY.CLOSE open one")]
pub struct NoWindow;

impl Monitor {
    /// A new monitor without an open window, which has read its sources up to the beginning of time.
    ///
    /// # Errors
    /// A definition out of its limits, or one that needs more memory than it allows.
    pub fn new(definition: Definition) -> Result<Self, DefinitionError> {
        definition.check()?;
        let fields = Fields::resolve(&definition, |_| None)?;
        let state = if Learner::needed(&definition) {
            State::Learning(Learner::default())
        } else {
            State::Counting(Box::new(Window::new(fields)))
        };
        let cursor = EntryId::default();
        let mut monitor = Self {
            sources: definition.sources.iter().map(|name| Source::new(name.clone(), cursor)).collect(),
            following: true,
            displaced: false,
            timeline: Timeline::new(definition.window_ms),
            state,
            outbox: Outbox::default(),
            last: None,
            left_out: LeftOut::default(),
            observations: 0,
            paused: false,
            interrupted: false,
            schema: None,
            definition,
        };
        monitor.restore_schema();
        Ok(monitor)
    }

    /// Counts one observation in the open window; replies with the observations there. While paused, none is counted.
    ///
    /// # Errors
    /// No window is open.
    pub fn observe<'a>(&mut self, observation: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Result<u64, NoWindow> {
        if self.timeline.open().is_none() {
            return Err(NoWindow);
        }
        if self.paused {
            self.left_out.passed.paused += 1;
            return Ok(self.n());
        }
        Ok(self.count(observation))
    }

    /// Counts many observations that all have the fields `columns`, as [`observe`](Self::observe) would one after the other;
    /// `values` holds theirs, row after row.
    ///
    /// # Errors
    /// No window is open.
    pub fn observe_rows(&mut self, columns: &[&[u8]], values: &[&[u8]]) -> Result<u64, NoWindow> {
        let rows = values.chunks_exact(columns.len().max(1));
        match &mut self.state {
            State::Counting(window)
                if !self.paused && self.timeline.open().is_some() && self.definition.hashed.fields.is_empty() =>
            {
                self.observations = self.observations.saturating_add(rows.len() as u64);
                window.observe_rows(columns, rows, &mut self.left_out);
                Ok(window.n())
            }
            _ => {
                let mut rows = rows.map(|row| columns.iter().copied().zip(row.iter().copied()));
                rows.try_fold(0, |_, row| self.observe(row))
            }
        }
    }

    /// Reads entry `id` of source number `source`: closes the open window if the entry is of a later one, counts it,
    /// and moves the cursor.
    ///
    /// # Panics
    /// If there is no source of that number.
    pub fn read<'a>(
        &mut self,
        source: usize,
        id: EntryId,
        entry: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Reading {
        if id <= self.sources[source].cursor {
            return Reading::Known;
        }
        if self.paused {
            self.sources[source].advance(id);
            self.left_out.passed.paused += 1;
            return Reading::LeftOut;
        }
        let step = self.timeline.step_to_entry(id.ms, self.definition.clock);
        if id.ms > MAX_MS || step == Step::Back {
            self.sources[source].advance(id);
            let left_out = &mut self.left_out;
            let count = if id.ms > MAX_MS { &mut left_out.out_of_time } else { &mut left_out.late };
            *count = count.saturating_add(1);
            return Reading::LeftOut;
        }
        if matches!(step, Step::Closes { .. }) && self.outbox.is_full() {
            self.following = false;
            return Reading::Waits;
        }
        self.take(step, id.ms);
        self.sources[source].advance(id);
        self.count(entry);
        Reading::Counted
    }

    /// Time has come to `ms`: closes the open window if it is over. What lies between its end and `ms` is unknown.
    /// With a full outbox the oldest window is dropped, which is counted. While paused nothing happens. Says whether anything
    /// changed.
    pub fn close(&mut self, ms: u64) -> bool {
        let ms = ms.min(MAX_MS);
        if self.paused {
            return false;
        }
        match self.timeline.step_to_boundary(ms) {
            Step::Stays | Step::Back => false,
            step => {
                while self.outbox.is_full() {
                    self.drop_oldest();
                }
                self.take(step, ms);
                true
            }
        }
    }

    /// The oldest closed window that wasn't sent.
    #[must_use]
    pub fn outbox(&self) -> Option<&Closed> {
        self.outbox.front()
    }

    /// Items that wait, at most [`MAX_WAITING`](crate::MAX_WAITING).
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.outbox.len()
    }

    /// Whether the next closing by an entry would have to wait.
    #[must_use]
    pub fn outbox_is_full(&self) -> bool {
        self.outbox.is_full()
    }

    /// Every window up to `end_ms` stands in the stream.
    pub fn sent(&mut self, end_ms: u64) {
        self.outbox.sent(end_ms, self.definition.window_ms);
    }

    /// Every window up to `end_ms` can never stand in the stream: it is dropped, which is counted and told as a gap.
    pub fn lose(&mut self, end_ms: u64) {
        while self.outbox.front().is_some_and(|closed| closed.end_ms <= end_ms) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let dropped = self.outbox.drop_oldest(self.definition.window_ms);
        self.left_out.dropped_windows = self.left_out.dropped_windows.saturating_add(dropped);
    }

    /// The definition.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Changes who moves time.
    pub fn set_clock(&mut self, clock: Clock) {
        self.definition.clock = clock;
    }

    /// Keeps `retention` fingerprints in the stream from now on.
    pub fn set_retention(&mut self, retention: u64) {
        self.definition.retention = retention;
    }

    /// Reads these sources from now on: those that it reads already from where it is, others from the cursor that `start`
    /// gives with what there is of the stream.
    pub fn set_sources(&mut self, names: &[Vec<u8>], start: impl Fn(&[u8]) -> (EntryId, Extent)) {
        let sources = names.iter().map(|name| {
            let known = self.sources.iter().find(|source| source.name == *name).cloned();
            known.unwrap_or_else(|| {
                let (cursor, extent) = start(name);
                let mut source = Source::new(name.clone(), cursor);
                source.measure(&extent);
                source
            })
        });
        self.sources = sources.collect();
        self.definition.sources = names.to_vec();
        if names.is_empty() {
            (self.following, self.displaced) = (true, false);
        }
    }

    /// Whether nothing is counted and no time passes.
    #[must_use]
    pub fn paused(&self) -> bool {
        self.paused
    }

    /// Stops or resumes counting. What comes meanwhile is passed over; that time is unknown, and the window in which it began
    /// is partial.
    pub fn set_paused(&mut self, paused: bool) {
        self.interrupted |= paused && self.timeline.open().is_some();
        self.paused = paused;
    }

    /// Forgets what was counted, in the open window and before, and what was left out; learns the fields anew if it was still
    /// learning. Keeps its definition, its place in time and in its sources, and the windows that wait to be sent.
    pub fn reset(&mut self) {
        self.state = match &self.state {
            State::Learning(_) => State::Learning(Learner::default()),
            State::Counting(window) => State::Counting(Box::new(Window::new(window.fields.clone()))),
        };
        self.interrupted |= self.timeline.open().is_some();
        (self.last, self.left_out, self.observations) = (None, LeftOut::default(), 0);
    }

    /// Names of the features; none while learning.
    #[must_use]
    pub fn schema(&self) -> Option<&Schema> {
        self.schema.as_ref()
    }

    /// Whether the fields are fixed.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match &self.state {
            State::Learning(learner) => Phase::Learning(learner.progress()),
            State::Counting(_) => Phase::Counting,
        }
    }

    /// Start and end of the open window, ms since the epoch.
    #[must_use]
    pub fn open_window(&self) -> Option<(u64, u64)> {
        self.timeline.open()
    }

    /// Observations in the open window.
    #[must_use]
    pub fn n(&self) -> u64 {
        match &self.state {
            State::Learning(learner) => learner.n(),
            State::Counting(window) => window.n(),
        }
    }

    /// Observations since the monitor was made.
    #[must_use]
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// The window that closed last.
    #[must_use]
    pub fn last(&self) -> Option<&Closed> {
        self.last.as_ref()
    }

    /// The sources and their cursors.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Whether every source was read to its end, so that the next entry is read as it comes.
    #[must_use]
    pub fn following(&self) -> bool {
        self.following
    }

    /// Says whether every source was read to its end.
    pub fn set_following(&mut self, following: bool) {
        self.following = following;
    }

    /// What was left out.
    #[must_use]
    pub fn left_out(&self) -> &LeftOut {
        &self.left_out
    }

    /// What was left out of single fields: field, reason, count.
    pub fn left_out_by_field(&self) -> impl Iterator<Item = (&str, Reason, u64)> {
        let names: &[String] = match &self.state {
            State::Learning(_) => &[],
            State::Counting(window) => &window.fields.names,
        };
        self.left_out.by_field().filter_map(|(field, reason, n)| Some((names.get(field)?.as_str(), reason, n)))
    }

    /// The most bytes that the monitor takes.
    #[must_use]
    pub fn bytes_at_most(&self) -> u64 {
        match &self.state {
            State::Learning(_) => self.definition.memory.max(Learner::BYTES),
            State::Counting(window) => window.fields.bytes_at_most(),
        }
    }

    /// Bytes that the monitor comes to take with ordinary traffic; none while its fields are unknown.
    #[must_use]
    pub fn bytes_expected(&self) -> Option<u64> {
        match &self.state {
            State::Learning(_) => None,
            State::Counting(window) => Some((size_of::<Self>() + window.bytes() + window.fields.growth()) as u64),
        }
    }

    /// Bytes that the monitor takes now.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let state = match &self.state {
            State::Learning(learner) => learner.bytes(),
            State::Counting(window) => window.bytes(),
        };
        let last = self.last.as_ref().map_or(0, Closed::bytes);
        (size_of::<Self>() + state + last + self.outbox.bytes()) as u64
    }

    fn count<'a>(&mut self, observation: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> u64 {
        let hashed = &self.definition.hashed;
        if hashed.fields.is_empty() {
            return self.count_items(observation);
        }
        let observation: Vec<_> = observation.map(|(field, value)| (field, hashed.of(field, value))).collect();
        self.count_items(observation.iter().map(|(field, value)| (*field, &**value)))
    }

    fn count_items<'a>(&mut self, observation: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> u64 {
        self.observations = self.observations.saturating_add(1);
        match &mut self.state {
            State::Learning(learner) => learner.observe(observation),
            State::Counting(window) => {
                window.observe(observation, &mut self.left_out);
                window.n()
            }
        }
    }

    fn take(&mut self, step: Step, ms: u64) {
        let mut unknown_before = step == Step::Opens;
        if let Step::Closes { end_ms, mut empty, mut gap_ms } = step {
            if self.interrupted {
                // nobody knows what the windows between would have counted
                (empty, gap_ms) = (0, if empty > 0 { ms - end_ms } else { gap_ms });
            }
            unknown_before = gap_ms > 0;
            match &mut self.state {
                State::Learning(learner) => {
                    if learner.close() {
                        let fields = learner.resolve(&self.definition);
                        self.state = State::Counting(Box::new(Window::new(fields)));
                        self.restore_schema();
                    }
                }
                State::Counting(_) => self.close_window(end_ms, empty, gap_ms),
            }
            self.interrupted = false;
        }
        if step != Step::Stays {
            self.timeline.move_to(ms, unknown_before);
        }
    }

    /// The open window closes, `empty` empty ones follow it, then unknown time. If that follows at once, nobody knows what
    /// was missed of the window itself: it is partial, or, without any observation, unknown too.
    fn close_window(&mut self, end_ms: u64, empty: u64, gap_ms: u64) {
        let State::Counting(window) = &mut self.state else { return };
        let window_ms = self.definition.window_ms;
        let interrupted = self.interrupted || (gap_ms > 0 && empty == 0);
        let mut closed = window.close(end_ms);
        if interrupted && closed.n == 0 {
            self.outbox.add_gap(gap_ms + window_ms);
            return;
        }
        closed.partial = interrupted || self.timeline.partial();
        self.last = Some(closed.clone());
        self.outbox.push(closed, window_ms);
        if empty > 0 {
            let first = window.pass_empty(empty, end_ms + window_ms);
            self.last = Some(Closed { end_ms: end_ms + empty * window_ms, ..first.clone() });
            self.outbox.push_run(first, empty, window_ms);
        }
        self.outbox.add_gap(gap_ms);
    }

    pub(crate) fn restore_schema(&mut self) {
        self.schema = match &self.state {
            State::Learning(_) => None,
            State::Counting(window) => Some(window.fields.schema(self.definition.window_ms)),
        };
    }
}
