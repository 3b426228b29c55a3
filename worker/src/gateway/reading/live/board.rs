//! What was found lately, in the order in which it was found, and who hears of it.
//!
//! Windows of different monitors don't come in the order of their ends: one is scored late, another closes each minute only.
//! So what a listener remembers of where it was isn't the end of the last window, but the latest end of all that was told up
//! to there. Who comes back with that gets everything that was told since then: nothing is missing, and nothing comes twice
//! but what was told under that very millisecond.

use crate::gateway::errors::Problem;
use eddyline_wire::command::EntryId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, watch};

/// What is kept for who comes back, and what a listener may be behind before it is dropped.
const KEPT: usize = 8192;
/// It goes on for so long without listeners: they come back.
pub(super) const LINGER: Duration = Duration::from_secs(60);

/// What an event is about. Of one window the score comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A window has its score.
    Score,
    /// A message about an incident.
    Alert,
}

impl Kind {
    /// As listeners know it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Alert => "alert",
        }
    }
}

/// Something new, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The monitor.
    pub monitor: Vec<u8>,
    /// What it is about.
    pub kind: Kind,
    /// Id of the entry.
    pub entry: EntryId,
    /// JSON.
    pub data: String,
}

/// Something new, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The latest end of a window of all that was told up to here, ms since the epoch.
    pub high_ms: u64,
    /// What.
    pub news: News,
}

/// How far a monitor's streams were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// The last score.
    pub score: EntryId,
    /// The last message about an incident.
    pub alert: EntryId,
}

/// How far each was read, by name.
pub type Positions = BTreeMap<Vec<u8>, Position>;

/// What was found lately.
#[derive(Debug)]
pub struct Board {
    state: Mutex<State>,
    /// None until it is known.
    ready: watch::Sender<Option<Result<(), Problem>>>,
}

#[derive(Debug)]
struct State {
    told: broadcast::Sender<Arc<Told>>,
    is_followed: bool,
    listeners: usize,
    last_left: Instant,
    positions: Positions,
    journal: VecDeque<Arc<Told>>,
    /// The latest end of what was told before the journal begins.
    floor_ms: u64,
    high_ms: u64,
}

impl Default for Board {
    fn default() -> Self {
        let state = State {
            told: broadcast::Sender::new(KEPT),
            is_followed: false,
            listeners: 0,
            last_left: Instant::now(),
            positions: Positions::new(),
            journal: VecDeque::new(),
            floor_ms: 0,
            high_ms: 0,
        };
        Self { state: Mutex::new(state), ready: watch::Sender::new(None) }
    }
}

/// What a listener missed.
#[derive(Debug)]
pub enum Missed {
    /// This.
    Known(Vec<Arc<Told>>),
    /// It is to be read from the streams, up to there.
    Unknown(Positions),
}

/// A listener.
#[derive(Debug)]
pub struct Joined(Arc<Board>);

impl Drop for Joined {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.listeners -= 1;
        state.last_left = Instant::now();
    }
}

impl Joined {
    /// Once it is known where all streams end.
    ///
    /// # Errors
    /// They may not be read.
    pub(super) async fn ready(&self) -> Result<(), Problem> {
        let mut ready = self.0.ready.subscribe();
        let known = ready.wait_for(Option::is_some).await;
        // The sender lives as long as the board.
        known.ok().and_then(|known| known.clone()).unwrap_or_else(|| Err(Problem::unavailable()))
    }

    /// What is told from here on, what was missed since `after`, and the latest end of a window up to here.
    #[must_use]
    pub fn listen(&self, after: Option<u64>) -> (broadcast::Receiver<Arc<Told>>, Missed, u64) {
        let state = self.0.state();
        let missed = match after {
            None => Missed::Known(Vec::new()),
            Some(after) if after > state.floor_ms => {
                Missed::Known(state.journal.iter().filter(|told| told.high_ms >= after).cloned().collect())
            }
            Some(_) => Missed::Unknown(state.positions.clone()),
        };
        (state.told.subscribe(), missed, state.high_ms)
    }
}

impl Board {
    /// One more listener; says whether somebody is to follow the streams now.
    pub(super) fn join(board: &Arc<Self>) -> (Joined, bool) {
        let mut state = board.state();
        state.listeners += 1;
        let is_first = !std::mem::replace(&mut state.is_followed, true);
        if is_first {
            board.ready.send_replace(None);
        }
        (Joined(Arc::clone(board)), is_first)
    }

    /// How far each monitor was read.
    pub(super) fn positions(&self) -> Positions {
        self.state().positions.clone()
    }

    /// It is known where all streams end: from here on nothing is missed.
    pub(super) fn begin(&self, positions: Positions) {
        let mut state = self.state();
        let latest = positions.values().map(|position| position.score.ms.max(position.alert.ms)).max();
        state.positions = positions;
        state.floor_ms = latest.unwrap_or_default();
        // A millisecond more, so that who comes back with it is known to have heard of nothing before.
        state.high_ms = state.floor_ms.saturating_add(1);
        drop(state);
        self.ready.send_replace(Some(Ok(())));
    }

    /// Monitors that are new, or whose streams end earlier than they did, are read from there.
    pub(super) fn place(&self, monitor: &[u8], position: Position) {
        self.state().positions.insert(monitor.to_vec(), position);
    }

    /// Monitors that aren't among these are gone.
    pub(super) fn retain(&self, names: &[Vec<u8>]) {
        self.state().positions.retain(|name, _| names.binary_search(name).is_ok());
    }

    /// Tells what is new of one monitor, in order.
    pub(super) fn tell(&self, news: Vec<News>) {
        let mut state = self.state();
        for news in news {
            let position = state.positions.entry(news.monitor.clone()).or_default();
            match news.kind {
                Kind::Score => position.score = news.entry,
                Kind::Alert => position.alert = news.entry,
            }
            state.high_ms = state.high_ms.max(news.entry.ms);
            let told = Arc::new(Told { high_ms: state.high_ms, news });
            if state.journal.len() >= KEPT
                && let Some(first) = state.journal.pop_front()
            {
                state.floor_ms = first.high_ms;
            }
            state.journal.push_back(Arc::clone(&told));
            // Nobody may be listening for a moment.
            let _ = state.told.send(told);
        }
    }

    /// Whether nobody listened for a while; then it is as if nobody ever had.
    pub(super) fn is_over(&self) -> bool {
        let mut state = self.state();
        if state.listeners > 0 || state.last_left.elapsed() < LINGER {
            return false;
        }
        self.forget(&mut state);
        true
    }

    /// Whoever followed fell over it: all listeners are dropped, and what they missed is read when they come back.
    pub(super) fn fall(&self) {
        let mut state = self.state();
        self.forget(&mut state);
        state.told = broadcast::Sender::new(KEPT);
    }

    /// The streams may not be read: all listeners are dropped, and told when they come back.
    pub(super) fn refuse(&self, problem: Problem) {
        let mut state = self.state();
        self.forget(&mut state);
        state.told = broadcast::Sender::new(KEPT);
        self.ready.send_replace(Some(Err(problem)));
    }

    fn forget(&self, state: &mut State) {
        state.is_followed = false;
        state.positions.clear();
        state.journal.clear();
        self.ready.send_replace(None);
    }

    // Whoever panicked left it whole: each change is one assignment after another of plain values.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news(monitor: &str, ms: u64) -> News {
        let entry = EntryId { ms, seq: 0 };
        News { monitor: monitor.as_bytes().to_vec(), kind: Kind::Score, entry, data: String::new() }
    }

    fn board(ends: &[(&str, u64)]) -> Arc<Board> {
        let board = Arc::new(Board::default());
        let position = |ms| Position { score: EntryId { ms, seq: 0 }, alert: EntryId::default() };
        board.begin(ends.iter().map(|(name, ms)| (name.as_bytes().to_vec(), position(*ms))).collect());
        board
    }

    fn missed(board: &Arc<Board>, after: u64) -> Option<Vec<(String, u64)>> {
        match Board::join(board).0.listen(Some(after)).1 {
            Missed::Unknown(_) => None,
            Missed::Known(told) => {
                let name = |told: &Told| String::from_utf8(told.news.monitor.clone()).unwrap();
                Some(told.iter().map(|told| (name(told), told.news.entry.ms)).collect())
            }
        }
    }

    #[test]
    fn who_comes_back_gets_what_came_since_late_windows_of_others_among_it() {
        let board = board(&[("fast", 100), ("slow", 60)]);
        board.tell(vec![news("fast", 110)]);
        board.tell(vec![news("slow", 90), news("slow", 105)]);
        board.tell(vec![news("fast", 120), news("fast", 130)]);
        board.tell(vec![news("slow", 115)]);
        let told = |pairs: &[(&str, u64)]| Some(pairs.iter().map(|(name, ms)| ((*name).to_owned(), *ms)).collect());
        // Heard of fast's 110 and no more.
        let after_110 = [("fast", 110), ("slow", 90), ("slow", 105), ("fast", 120), ("fast", 130), ("slow", 115)];
        assert_eq!(missed(&board, 110), told(&after_110));
        assert_eq!(missed(&board, 130), told(&[("fast", 130), ("slow", 115)]));
        assert_eq!(missed(&board, 131), told(&[]));
    }

    #[test]
    fn what_came_before_it_was_followed_is_to_be_read() {
        let board = board(&[("fast", 100)]);
        board.tell(vec![news("fast", 110)]);
        assert_eq!(missed(&board, 100), None);
        assert_eq!(missed(&board, 101).unwrap().len(), 1);
        for i in 0..KEPT as u64 {
            board.tell(vec![news("fast", 120 + i)]);
        }
        assert_eq!(missed(&board, 110), None);
        assert_eq!(missed(&board, 111).unwrap().len(), KEPT);
    }

    #[test]
    fn who_listens_is_dropped_when_nobody_follows_any_more() {
        let board = board(&[("fast", 100)]);
        let (listener, _) = Board::join(&board);
        let (mut told, ..) = listener.listen(None);
        board.fall();
        assert_eq!(told.try_recv(), Err(broadcast::error::TryRecvError::Closed));
        assert!(Board::join(&board).1);
    }

    #[test]
    fn it_is_followed_once_and_as_long_as_somebody_listens() {
        let board = board(&[]);
        let (first, is_first) = Board::join(&board);
        let (second, is_second) = Board::join(&board);
        assert!(is_first && !is_second);
        drop(first);
        assert!(!board.is_over());
        drop(second);
        assert!(!board.is_over(), "they may come back");
        board.state().last_left = Instant::now().checked_sub(LINGER).unwrap();
        assert!(board.is_over());
        assert!(Board::join(&board).1);
    }
}
