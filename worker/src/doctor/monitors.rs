//! Monitors: are their windows written, and are they scored?

use super::code::Code;
use super::finding::Finding;
use super::patient::Patient;
use super::server::Facts;
use super::service::Crew;
use crate::store::stream::string_in;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::Companions;
use eddyline_wire::text::printable;
use eddyline_wire::vector::{self, PERIOD};
use redis::{FromRedisValue, RedisResult, Value};
use std::collections::BTreeMap;

/// One of a monitor's companions.
type Companion = fn(&Companions) -> Vec<u8>;

/// What each companion must be.
const KINDS: [(Companion, &str); 8] = [
    (Companions::counting, "string"),
    (Companions::fingerprints, "stream"),
    (Companions::schemas, "hash"),
    (Companions::scores, "stream"),
    (Companions::incidents, "stream"),
    (Companions::model, "string"),
    (Companions::lease, "string"),
    (Companions::settings, "hash"),
];

/// A monitor at one moment.
#[derive(Debug)]
pub struct Glance {
    /// Fingerprints that wait to be written.
    pub waiting: u64,
    /// Id of the newest fingerprint.
    pub written: EntryId,
    /// Id of the newest score.
    pub scored: EntryId,
    /// Time left of the lease in ms, -1 without an end, -2 without a lease.
    lease: i64,
    /// Whether nothing is counted.
    pub paused: bool,
    /// Whether the module counts for it; else somebody sends vectors.
    pub is_counted: bool,
    /// Its windows' length in ms, where their ends come with the server's clock.
    pub lives_by_the_clock: Option<u64>,
    /// How far it is with finding out what to count.
    pub learning: Option<String>,
    /// Observations ever taken.
    pub observations: u64,
    /// Those of the open window.
    pub open_observations: u64,
    /// The streams that it reads.
    pub sources: Vec<String>,
    unreadable: Vec<String>,
    foreign: Vec<(String, String, &'static str)>,
}

impl Glance {
    /// Whether it is worth to look again.
    #[must_use]
    pub fn is_suspicious(&self) -> bool {
        self.waiting > 0 || self.written > self.scored || self.lease == -2
    }
}

/// Looks at a monitor.
///
/// # Errors
/// Trouble with Redis.
pub fn look(patient: &mut Patient, keys: &Companions) -> RedisResult<Glance> {
    let info: Option<Value> = patient.try_ask(redis::cmd("EDDY.INFO").arg(keys.monitor()))?;
    let field = |name: &str| info.as_ref().and_then(|info| string_in(info, name).ok().flatten());
    let mut foreign = Vec::new();
    for (key, expected) in KINDS {
        let kind: Option<String> = patient.ask(redis::cmd("TYPE").arg(key(keys)))?;
        if let Some(kind) = kind.filter(|kind| kind != "none" && kind != expected) {
            foreign.push((printable(&key(keys), 128), kind, expected));
        }
    }
    let number = |name: &str| field(name).and_then(|number| number.parse().ok());
    let sources = info.as_ref().map(sources).unwrap_or_default();
    let unreadable = sources.iter().filter(|(_, at)| at.starts_with("not a stream")).map(|(name, _)| name.clone());
    let lives_by_the_clock = match (info.is_some(), field("clock").as_deref()) {
        (true, Some("server")) => number("window_ms"),
        (true, _) => None,
        (false, _) => {
            let period: Option<Option<Vec<u8>>> =
                patient.try_ask(redis::cmd("HGET").arg(keys.settings()).arg(PERIOD))?;
            period.flatten().and_then(|period| vector::period(&period).ok())
        }
    };
    Ok(Glance {
        waiting: number("waiting").unwrap_or(0),
        is_counted: info.is_some(),
        lives_by_the_clock,
        learning: field("state").and_then(|state| Some(state.strip_prefix("learning ")?.to_owned())),
        observations: number("observations").unwrap_or(0),
        open_observations: number("open_observations").unwrap_or(0),
        written: last_id(patient, &keys.fingerprints())?,
        scored: last_id(patient, &keys.scores())?,
        lease: patient.ask(redis::cmd("PTTL").arg(keys.lease()))?.unwrap_or(0),
        paused: field("paused").is_some_and(|paused| paused == "yes"),
        unreadable: unreadable.collect(),
        sources: sources.into_keys().collect(),
        foreign,
    })
}

fn last_id(patient: &mut Patient, stream: &[u8]) -> RedisResult<EntryId> {
    let info: Option<Value> = patient.try_ask(redis::cmd("XINFO").arg("STREAM").arg(stream))?;
    let id = info.and_then(|info| string_in(&info, "last-generated-id").ok().flatten());
    Ok(id.and_then(|id| EntryId::parse(id.as_bytes())).unwrap_or_default())
}

/// The sources, and how far each is read.
fn sources(info: &Value) -> BTreeMap<String, String> {
    let fields: BTreeMap<String, Value> = FromRedisValue::from_redis_value_ref(info).unwrap_or_default();
    let sources = fields.get("sources").and_then(|sources| FromRedisValue::from_redis_value_ref(sources).ok());
    sources.unwrap_or_default()
}

/// What is wrong with a monitor that was looked at twice, a moment apart.
///
/// # Errors
/// Trouble with Redis.
pub fn findings(
    patient: &mut Patient,
    keys: &Companions,
    before: &Glance,
    now: &Glance,
    facts: &Facts,
    crew: Crew,
) -> RedisResult<Vec<Finding>> {
    let name = printable(keys.monitor(), 128);
    let mut found = Vec::new();
    for (key, kind, expected) in &now.foreign {
        let what = format!("{key} holds a {kind} where a {expected} belongs");
        found.push(Finding::problem(
            Code::KeyInTheWay,
            &name,
            what,
            format!("find out who wrote it, then DEL or RENAME {key}"),
        ));
    }
    for source in &now.unreadable {
        let what = format!("its source '{source}' isn't a stream: nothing is read from it");
        let cure = format!("DEL or RENAME {source}; with the next XADD it is read");
        found.push(Finding::problem(Code::SourceNotReadable, &name, what, cure));
    }
    if now.waiting > 0 && before.waiting > 0 && now.written == before.written {
        let (why, cure) = refusal(facts, !now.foreign.is_empty());
        let what = format!("{} fingerprints wait to be written{why}", now.waiting);
        found.push(Finding::problem(Code::NotWritten, &name, what, cure));
    }
    // What was scored a moment ago was written before that.
    if now.written > EntryId::default() && now.written < before.scored {
        let [scores, incidents] = [keys.scores(), keys.incidents()].map(|key| printable(&key, 128));
        found.push(Finding::problem(
            Code::BeganAnew,
            &name,
            format!(
                "its windows end at {}, before the last score ({}): the stream was deleted and filled anew, and what is \
                 older than that score gets none",
                now.written, now.scored
            ),
            format!("wait for later windows, or to have these scored redis-cli DEL '{scores}' '{incidents}'"),
        ));
    }
    if now.lease == -1 {
        let lease = printable(&keys.lease(), 128);
        found.push(Finding::problem(
            Code::LeaseNeverEnds,
            &name,
            format!("{lease} never runs out: no worker can take over from a dead one"),
            format!("redis-cli DEL '{lease}'"),
        ));
    }
    found.extend(scoring(patient, keys, &name, (before, now), crew)?);
    if now.paused {
        let cure = format!("redis-cli EDDY.ALTER '{name}' PAUSED no");
        found.push(Finding::advice(Code::Paused, &name, "it is paused: nothing is counted", cure));
    }
    Ok(found)
}

fn refusal(facts: &Facts, foreign: bool) -> (String, String) {
    const LOOK: &str = "the server's log says what it refuses; CLIENT PAUSE and missing replicas (min-replicas-to-write) \
                        hold writes, too";
    match facts.last_refusal() {
        _ if facts.out_of_memory() => (": memory is full".to_owned(), "raise maxmemory".to_owned()),
        _ if foreign => (": a key is in the way".to_owned(), "see the key of another type above".to_owned()),
        "" => (String::new(), LOOK.to_owned()),
        refusal => (format!("; the server last said: {refusal}"), LOOK.to_owned()),
    }
}

fn scoring(
    patient: &mut Patient,
    keys: &Companions,
    name: &str,
    (before, now): (&Glance, &Glance),
    crew: Crew,
) -> RedisResult<Option<Finding>> {
    /// More than so many aren't counted.
    const MOST: usize = 10_000;
    let mut range = redis::cmd("XRANGE");
    range.arg(keys.fingerprints()).arg(format!("({}", now.scored)).arg("+").arg("COUNT").arg(MOST);
    let behind = now.written > now.scored;
    let entries: Option<Vec<Value>> = if behind { patient.try_ask(&range)? } else { None };
    let lag = match entries.map(|entries| entries.len()) {
        Some(MOST) => format!("{MOST} or more fingerprints aren't scored"),
        Some(1) => "1 fingerprint isn't scored".to_owned(),
        Some(lag) => format!("{lag} fingerprints aren't scored"),
        None => "its next fingerprint won't be scored".to_owned(),
    };
    if before.lease == -2 && now.lease == -2 {
        let (code, cure) = match crew.alive {
            0 => (
                Code::NoWorker,
                "start 'eddyline worker' for this server and database (with --monitor for a name that EDDY.LIST doesn't \
                 show), or look at its log",
            ),
            _ => (
                Code::NotScored,
                "the workers' logs say why; one takes a name that EDDY.LIST doesn't show with --monitor, or where its settings \
                 have a period_ms",
            ),
        };
        return Ok(Some(Finding::problem(code, name, format!("no worker holds its lease: {lag}"), cure)));
    }
    Ok((behind && before.written > before.scored && now.scored == before.scored).then(|| {
        let cure = "its log says why; 'redis-cli GET' of the lease names the worker's process id";
        Finding::problem(Code::Stuck, name, format!("a worker holds its lease but doesn't get on: {lag}"), cure)
    }))
}
