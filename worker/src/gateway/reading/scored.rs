//! Scores as they are told, and a page of them as they stand in Redis.

use crate::explain::answer::Judgement;
use crate::store::connect::Connection;
use crate::store::stream;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::Companions;
use eddyline_wire::score::Score;
use eddyline_wire::text::utf8;
use redis::{Cmd, RedisResult};
use serde::Serialize;
use utoipa::ToSchema;

/// Also called with the commands of one monitor that are sent together.
const SCRIPT: &str = include_str!("scored.lua");
/// Scores that the script looks at in one go, below a millisecond of the server's time.
const PAGE: usize = 100;
/// Longest text of a field that is told.
const TEXT: usize = 256;

/// What a window was worth.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Score)]
pub struct ScoreBody {
    /// Id of the window.
    #[schema(example = "1795226643000-0")]
    pub id: String,
    /// Its end, ms since the epoch.
    pub end_ms: u64,
    /// Observations in it; null where its fingerprint is gone.
    pub n: Option<u64>,
    /// 0 ordinary, 0.5 the alert line, 1 as rare as can be told.
    #[schema(minimum = 0, maximum = 1)]
    pub score: f64,
    /// Estimated chance that an ordinary recent window scores as high.
    pub p: f64,
    /// `ready`, `warming 40/60`, `unreadable`, `partial` or `excluded`.
    #[schema(example = "ready")]
    pub state: String,
    /// The band of the score, from 0.5: `warning` or `critical`.
    pub severity: Option<String>,
    /// Id of the incident to which it belongs.
    pub incident: Option<String>,
    /// The control that held it back: `direction`, `deviation`, `schedule` or `feedback`.
    pub held: Option<String>,
    /// Windows before it that were trimmed from their stream before a worker read them.
    pub missed: u64,
}

impl ScoreBody {
    fn of(id: EntryId, score: &Score, n: Option<u64>) -> Self {
        let Judgement { state, score, p, severity, held, missed, incident } = Judgement::from(score);
        let (severity, state) = (severity.map(str::to_owned), state.to_string());
        Self { id: id.to_string(), end_ms: id.ms, n, score, p, state, severity, incident, held, missed }
    }
}

/// An entry as the script tells it: id, fields and values, observations.
type Entry = (String, Vec<Vec<u8>>, Option<Vec<u8>>);

/// Scores that were read.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Scored {
    /// Those that are ones.
    pub scores: Vec<(EntryId, ScoreBody)>,
    /// Id of the last entry that was looked at.
    pub last: Option<EntryId>,
    /// Entries that are none.
    pub unreadable: usize,
    /// Entries that were looked at.
    pub entries: usize,
}

impl Scored {
    /// Reads the script's reply.
    #[must_use]
    pub fn of(entries: Vec<Entry>) -> Self {
        let mut scored = Self::default();
        scored.add(entries);
        scored
    }

    fn add(&mut self, entries: Vec<Entry>) {
        for (id, fields, n) in entries {
            self.entries += 1;
            let Some(id) = EntryId::parse(id.as_bytes()) else { continue };
            self.last = Some(id);
            let n = n.and_then(|n| std::str::from_utf8(&n).ok()?.parse().ok());
            match stream::score(&fields).filter(|score| score.score.is_finite() && score.p.is_finite()) {
                Some(mut score) => {
                    for text in [&mut score.incident, &mut score.held].into_iter().flatten() {
                        *text = utf8(text.as_bytes(), TEXT);
                    }
                    self.scores.push((id, ScoreBody::of(id, &score, n)));
                }
                None => self.unreadable += 1,
            }
        }
    }
}

/// The command that reads up to 100 scores, for commands that are sent together.
#[must_use]
pub fn command(keys: &Companions, order: Order, from: &str, to: &str, count: usize) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(SCRIPT).arg(2).arg(keys.scores()).arg(keys.fingerprints());
    command.arg(order.command()).arg(from).arg(to).arg(count.min(PAGE));
    command
}

/// Which end of a stream comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The oldest entry.
    OldestFirst,
    /// The newest.
    NewestFirst,
}

impl Order {
    /// The command that reads so.
    #[must_use]
    pub fn command(self) -> &'static str {
        match self {
            Self::OldestFirst => "XRANGE",
            Self::NewestFirst => "XREVRANGE",
        }
    }
}

/// Up to `limit` scores from one end of a range, in that order.
///
/// # Errors
/// Trouble with Redis.
pub async fn read(
    connection: &mut Connection,
    keys: &Companions,
    order: Order,
    (from, to): (&str, &str),
    limit: usize,
) -> RedisResult<Scored> {
    let (mut scored, mut from) = (Scored::default(), from.to_owned());
    while scored.entries < limit {
        let count = (limit - scored.entries).min(PAGE);
        let page: Vec<Entry> = command(keys, order, &from, to, count).query_async(connection).await?;
        let is_last = page.len() < count;
        scored.add(page);
        match scored.last {
            Some(last) if !is_last => from = format!("({last}"),
            _ => break,
        }
    }
    Ok(scored)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<Vec<u8>> {
        pairs.iter().flat_map(|(name, value)| [name.as_bytes().to_vec(), value.as_bytes().to_vec()]).collect()
    }

    #[test]
    fn what_is_no_score_is_counted_and_left_out() {
        let good = fields(&[("score", "0.8"), ("p", "1e-7"), ("state", "ready"), ("incident", "9f")]);
        let odd = fields(&[("score", "NaN"), ("p", "1"), ("state", "ready")]);
        let entries = vec![
            ("5000-0".to_owned(), good, Some(b"12".to_vec())),
            ("6000-0".to_owned(), odd, None),
            ("7000-0".to_owned(), fields(&[("hello", "world")]), None),
        ];
        let scored = Scored::of(entries);
        assert_eq!((scored.unreadable, scored.entries, scored.scores.len()), (2, 3, 1));
        assert_eq!(scored.last, EntryId::parse(b"7000-0"));
        let json = serde_json::to_value(&scored.scores[0].1).unwrap();
        let told = serde_json::json!({
            "id": "5000-0", "end_ms": 5000, "n": 12, "score": 0.8, "p": 1e-7, "state": "ready", "severity": "critical",
            "incident": "9f", "held": null, "missed": 0
        });
        assert_eq!(json, told);
    }
}
