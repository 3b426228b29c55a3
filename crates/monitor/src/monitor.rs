//! The monitor: observations in, closed windows out.

use crate::closed::Closed;
use crate::definition::{Clock, Definition, DefinitionError, MAX_MS};
use crate::fields::Fields;
use crate::learning::{Learner, Progress};
use crate::outbox::Outbox;
use crate::schema::Schema;
use crate::source::{EntryId, Source};
use crate::tally::{LeftOut, Reason};
use crate::timeline::{Step, Timeline};
use crate::window::Window;
use serde::{Deserialize, Serialize};

/// One monitor: what to watch, the open window, the long memory, and what waits to be written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Monitor {
    definition: Definition,
    sources: Vec<Source>,
    following: bool,
    displaced: bool,
    timeline: Timeline,
    state: State,
    outbox: Outbox,
    last: Option<Closed>,
    left_out: LeftOut,
    observations: u64,
    #[serde(skip)]
    schema: Option<Schema>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum State {
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
    /// It is older than the open window, or beyond all time: counted as left out.
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
            sources: definition.sources.iter().map(|name| Source { name: name.clone(), cursor }).collect(),
            following: true,
            displaced: false,
            timeline: Timeline::new(definition.window_ms),
            state,
            outbox: Outbox::default(),
            last: None,
            left_out: LeftOut::default(),
            observations: 0,
            schema: None,
            definition,
        };
        monitor.restore_schema();
        Ok(monitor)
    }

    /// Counts one observation in the open window; replies with the observations there.
    ///
    /// # Errors
    /// No window is open.
    pub fn observe<'a>(&mut self, observation: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Result<u64, NoWindow> {
        if self.timeline.open().is_none() {
            return Err(NoWindow);
        }
        Ok(self.count(observation))
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
        let step = self.timeline.step_to_entry(id.ms, self.definition.clock);
        if id.ms > MAX_MS || step == Step::Back {
            self.sources[source].cursor = id;
            let left_out = &mut self.left_out;
            *if id.ms > MAX_MS { &mut left_out.out_of_time } else { &mut left_out.late } += 1;
            return Reading::LeftOut;
        }
        if matches!(step, Step::Closes { .. }) && self.outbox.is_full() {
            self.following = false;
            return Reading::Waits;
        }
        self.take(step, id.ms);
        self.sources[source].cursor = id;
        self.count(entry);
        Reading::Counted
    }

    /// Time has come to `ms`: closes the open window if it is over. What lies between its end and `ms` is unknown.
    /// With a full outbox the oldest window is dropped, which is counted. Says whether anything changed.
    pub fn close(&mut self, ms: u64) -> bool {
        let ms = ms.min(MAX_MS);
        match self.timeline.step_to_boundary(ms) {
            Step::Stays | Step::Back => false,
            step => {
                while self.outbox.is_full() {
                    self.left_out.dropped_windows += self.outbox.drop_oldest(self.definition.window_ms);
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
            self.left_out.dropped_windows += self.outbox.drop_oldest(self.definition.window_ms);
        }
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

    /// The monitor came under this key from elsewhere: before it reads on, its cursors must be held against its sources.
    pub fn displace(&mut self) {
        self.displaced = !self.sources.is_empty();
        self.following = !self.displaced;
    }

    /// Whether [`displace`](Self::displace) was called and [`settle`](Self::settle) wasn't.
    #[must_use]
    pub fn displaced(&self) -> bool {
        self.displaced
    }

    /// Starts over in sources whose newest entry (none: no such stream) lies below the cursor.
    pub fn settle(&mut self, newest: impl Fn(&Source) -> Option<EntryId>) {
        for source in &mut self.sources {
            if newest(source).is_none_or(|newest| newest < source.cursor) {
                source.cursor = EntryId::default();
            }
        }
        self.displaced = false;
    }

    /// Moves the cursor of source number `source`, forward or back.
    ///
    /// # Panics
    /// If there is no source of that number.
    pub fn set_cursor(&mut self, source: usize, cursor: EntryId) {
        self.sources[source].cursor = cursor;
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
            State::Counting(window) => window.fields.bytes(),
        }
    }

    fn count<'a>(&mut self, observation: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> u64 {
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
        if let Step::Closes { end_ms, empty, gap_ms } = step {
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
        let interrupted = gap_ms > 0 && empty == 0;
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

    /// Whether the parts of a decoded monitor fit together.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        self.definition.check().map_err(|_| "definition out of limits")?;
        if !self.definition.inferred() && Fields::resolve(&self.definition, |_| None).is_err() {
            return Err("fields that don't fit their memory");
        }
        let named = |(source, name): (&Source, &Vec<u8>)| source.name == *name;
        if self.sources.len() != self.definition.sources.len()
            || !self.sources.iter().zip(&self.definition.sources).all(named)
        {
            return Err("sources that aren't the definition's");
        }
        if !self.following && self.sources.is_empty() {
            return Err("nothing to follow");
        }
        if !self.timeline.is_sane(self.definition.window_ms) {
            return Err("a window that isn't aligned");
        }
        let features = match &self.state {
            State::Learning(learner) if learner.is_sane() => None,
            State::Learning(_) => return Err("learning out of limits"),
            State::Counting(window) => {
                let fields = &window.fields;
                if !fields.is_sane(&self.definition) || !window.is_sane() {
                    return Err("sketches that don't fit the fields");
                }
                Some(fields.features())
            }
        };
        if !self.outbox.is_sane(features, self.definition.window_ms) || self.left_out.len() > 128 {
            return Err("an outbox out of limits");
        }
        if self.last.as_ref().is_some_and(|last| Some(last.values.len()) != features) {
            return Err("a last window of another length");
        }
        Ok(())
    }
}
