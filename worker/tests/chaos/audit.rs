//! Whether anything was lost or doubled: what stands in Redis against a worker that was never disturbed, what was injected
//! against the incidents, the incidents against what the receiver got.

use crate::feed::{Feed, Injection, MONITORS, WINDOW_MS, name, now_ms};
use crate::receiver::Receiver;
use crate::stage::{DEPLOYMENT, Stage, WORKERS};
use anyhow::{Context, Result, bail};
use eddyline_wire::alert::{Alert, Event};
use eddyline_wire::fingerprint::Fingerprint;
use eddyline_wire::keys::{Companions, service};
use eddyline_wire::schema::Schema;
use eddyline_worker::judging::choices::Choices;
use eddyline_worker::judging::identity::Identity;
use eddyline_worker::judging::judge::{Judge, NamedSchema};
use eddyline_worker::judging::results::results;
use redis::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For workers to catch up after the last blow, and for deliveries that were turned away.
const PATIENCE: Duration = Duration::from_secs(90);
/// Fingerprints of an injection that must have been written, else nobody could see it.
const SEEN: u64 = 5;
/// Windows without data that end an incident, as the default has it.
const QUIET: u64 = 10;

type RawEntry = (String, BTreeMap<String, Vec<u8>>);

/// One monitor's streams at one moment.
struct Streams {
    fingerprints: Vec<RawEntry>,
    scores: Vec<RawEntry>,
    alerts: Vec<Alert>,
    schemas: BTreeMap<String, String>,
}

/// What was counted, and what is wrong.
pub(crate) struct Audit {
    observations: (u64, u64),
    seconds: f64,
    fingerprints: usize,
    gaps: usize,
    incidents: usize,
    lost_in_failover: usize,
    injected: usize,
    unseen: usize,
    notifications: usize,
    deliveries: u32,
    turned_away: u32,
    wrong: Vec<String>,
}

impl Audit {
    /// Waits until everything is quiet, and looks.
    pub(crate) fn of(stage: &mut Stage, feed: &Feed, receiver: &Receiver) -> Result<Self> {
        let last = feed.injections().iter().map(|injection| injection.to_ms).max().unwrap_or_default();
        let mut connection = stage.connection()?;
        let all = settle(&mut connection, last).map_err(|error| {
            let logs: Vec<String> = (0..WORKERS).map(|i| stage.log(i)).collect();
            error.context(format!("the workers' logs end:\n{}", logs.join("\n---\n")))
        })?;
        let mut audit = Self {
            observations: feed.counts(),
            seconds: now_ms().saturating_sub(feed.began_ms()) as f64 / 1000.0,
            fingerprints: 0,
            gaps: 0,
            incidents: 0,
            lost_in_failover: 0,
            injected: feed.injections().len(),
            unseen: 0,
            notifications: 0,
            deliveries: 0,
            turned_away: 0,
            wrong: Vec::new(),
        };
        for (i, streams) in all.iter().enumerate() {
            audit.check_scores(i, streams)?;
            let injections = feed.injections().iter().filter(|injection| injection.monitor == i);
            audit.check_injections(&name(i), streams, injections);
        }
        audit.check_deliveries(&mut connection, &all, receiver, feed.calm_ms())?;
        Ok(audit)
    }

    /// Whether all is well.
    pub(crate) fn holds(&self) -> bool {
        self.wrong.is_empty()
    }

    /// Every fingerprint has the one score, and every incident the messages, of a worker that was never disturbed.
    fn check_scores(&mut self, monitor: usize, streams: &Streams) -> Result<()> {
        let name = name(monitor);
        let identity = Identity { deployment: DEPLOYMENT.to_owned(), monitor: name.clone().into_bytes(), db: 0 };
        let (mut judge, mut announced) = (Judge::new(Choices::default()), Vec::new());
        let (mut scores, mut alerts) = (Vec::new(), Vec::new());
        for (id, fields) in &streams.fingerprints {
            let pairs = fields.iter().map(|(field, value)| (field.as_bytes(), value.as_slice()));
            let fingerprint = Fingerprint::from_fields(id, pairs)?;
            let schema_id = eddyline_wire::fingerprint::schema_id(fingerprint.schema);
            let json = streams.schemas.get(&schema_id).context("a fingerprint without its schema")?;
            let schema = NamedSchema { id: fingerprint.schema, record: Schema::from_json(json.as_bytes())? };
            let (score, said) = results(&mut judge, Some(&mut announced), &identity, &fingerprint, &Arc::new(schema))?;
            judge.learn();
            self.fingerprints += 1;
            self.gaps += usize::from(fingerprint.gap_ms > 0);
            let fields = score.to_fields().into_iter().map(|(field, value)| (field.to_owned(), value.into_bytes()));
            scores.push((id.clone(), fields.collect::<BTreeMap<_, _>>()));
            alerts.extend(said);
        }
        let ids = |entries: &[RawEntry]| entries.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
        if ids(&scores) != ids(&streams.scores) {
            let (made, found) = (scores.len(), streams.scores.len());
            self.wrong.push(format!("{name}: {made} fingerprints, {found} scores, not of the same windows"));
        } else if let Some((expected, found)) = scores.iter().zip(&streams.scores).find(|(a, b)| a != b) {
            let show = |(id, fields): &RawEntry| {
                let fields: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value))).collect();
                format!("{id} {}", fields.join(" "))
            };
            self.wrong.push(format!("{name}: score {} where {} was expected", show(found), show(expected)));
        }
        let (lost, told): (Vec<_>, Vec<_>) =
            streams.alerts.iter().partition(|alert| alert.reason.as_deref() == Some("lost in failover"));
        self.lost_in_failover += lost.len();
        self.incidents += told.iter().filter(|alert| alert.event == Event::Opened).count();
        if lost.is_empty() && told != alerts.iter().collect::<Vec<_>>() {
            let show = |alert: &Alert| format!("{} {} {}", alert.entry, alert.event.as_str(), alert.incident);
            let expected: Vec<String> = alerts.iter().map(show).collect();
            let found: Vec<String> = told.iter().map(|alert| show(alert)).collect();
            self.wrong.push(format!("{name}: messages {found:?} where {expected:?} were expected"));
        }
        let mut events: BTreeMap<&str, [u32; 2]> = BTreeMap::new();
        for alert in &told {
            let [opened, resolved] = events.entry(&alert.incident).or_default();
            *opened += u32::from(alert.event == Event::Opened);
            *resolved += u32::from(alert.event == Event::Resolved);
        }
        let odd = events.iter().filter(|(_, [opened, resolved])| lost.is_empty() && (*opened != 1 || *resolved > 1));
        self.wrong.extend(odd.map(|(id, [opened, resolved])| {
            format!("{name}: incident {id} was opened {opened} times and resolved {resolved} times")
        }));
        Ok(())
    }

    /// Everything injected made one incident, or belongs to one that was open already, and that is over.
    fn check_injections<'a>(&mut self, name: &str, streams: &Streams, injections: impl Iterator<Item = &'a Injection>) {
        let ends: Vec<u64> = streams.fingerprints.iter().map(end_ms).collect();
        for injection in injections {
            let during = |end: u64| (injection.from_ms + WINDOW_MS..=injection.to_ms).contains(&end);
            if (ends.iter().filter(|end| during(**end)).count() as u64) < SEEN {
                self.unseen += 1;
                continue;
            }
            let opened: Vec<&Alert> = streams
                .alerts
                .iter()
                .filter(|alert| alert.event == Event::Opened && overlaps(alert, streams, injection))
                .collect();
            let began = opened.iter().filter(|alert| alert.since_ms + WINDOW_MS >= injection.from_ms).count();
            let what = format!("{name}: {:?} from {} to {}", injection.fault, injection.from_ms, injection.to_ms);
            match (opened.len(), began) {
                (0, _) => self.wrong.push(format!("{what} opened no incident")),
                (_, 0 | 1) => {}
                (_, n) => {
                    let told: Vec<String> = opened
                        .iter()
                        .map(|alert| format!("{} since {}: {}", alert.incident, alert.since_ms, alert.summary))
                        .collect();
                    self.wrong.push(format!("{what} opened {n} incidents: {}", told.join("; ")));
                }
            }
            let open = opened.iter().find(|opened| {
                let over = |alert: &&Alert| alert.incident == opened.incident && alert.event == Event::Resolved;
                !streams.alerts.iter().any(|alert| over(&alert))
            });
            if let Some(open) = open {
                self.wrong.push(format!("{what} opened {}, which isn't resolved", open.incident));
            }
        }
    }

    /// The receiver heard the opening and the end of every incident since `calm_ms`, and every notification that stands in Redis.
    fn check_deliveries(
        &mut self,
        connection: &mut Connection,
        all: &[Streams],
        receiver: &Receiver,
        calm_ms: u64,
    ) -> Result<()> {
        let mut needed = BTreeSet::new();
        for alert in all.iter().flat_map(|streams| &streams.alerts) {
            // What was over before the workers had learnt the history is history too: nobody is told of that.
            if alert.event != Event::Updated && alert.since_ms >= calm_ms {
                needed.insert((alert.incident.clone(), alert.event == Event::Resolved));
            }
        }
        let deadline = Instant::now() + PATIENCE;
        let missing = loop {
            let ids: Vec<(String, BTreeMap<String, String>)> =
                redis::cmd("XRANGE").arg(service::NOTIFICATIONS).arg("-").arg("+").query(connection)?;
            let missing = receiver.look(|received| {
                let mut missing = needed.clone();
                for (notification, _) in received.notifications.values() {
                    for alert in &notification.alerts {
                        missing.remove(&(alert.incident.clone(), alert.event == Event::Resolved));
                        // Whoever hears of the end hears of all of it.
                        if alert.event == Event::Resolved {
                            missing.remove(&(alert.incident.clone(), false));
                        }
                    }
                }
                let undelivered = ids.iter().filter_map(|(_, fields)| {
                    let json = fields.get("notification")?;
                    let id = serde_json::from_str::<serde_json::Value>(json).ok()?.get("id")?.as_str()?.to_owned();
                    (!received.notifications.contains_key(&id)).then(|| format!("notification {id}"))
                });
                let incidents = missing.into_iter().map(|(incident, resolved)| {
                    format!("the {} of incident {incident}", if resolved { "end" } else { "opening" })
                });
                undelivered.chain(incidents).collect::<Vec<_>>()
            });
            self.notifications = ids.len();
            if missing.is_empty() || Instant::now() > deadline {
                break missing;
            }
            std::thread::sleep(Duration::from_millis(100));
        };
        self.wrong.extend(missing.into_iter().take(20).map(|what| format!("the receiver never got {what}")));
        let dead: u64 = redis::cmd("XLEN").arg(service::DEAD_LETTERS).query(connection)?;
        if dead > 0 {
            self.wrong.push(format!("{dead} dead letters"));
        }
        receiver.look(|received| {
            self.deliveries = received.notifications.values().map(|(_, times)| times).sum();
            self.turned_away = received.turned_away;
            self.wrong.extend(received.wrong.iter().cloned());
        });
        Ok(())
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (taken, failed) = self.observations;
        writeln!(
            f,
            "taken: {taken} observations ({:.0} a second; {failed} batches without an answer), {} fingerprints, {} of them \
             after a gap",
            taken as f64 / self.seconds.max(1.0),
            self.fingerprints,
            self.gaps
        )?;
        writeln!(
            f,
            "injected: {} faults, {} of them while nobody could see; {} incidents, {} lost in failover",
            self.injected, self.unseen, self.incidents, self.lost_in_failover
        )?;
        writeln!(
            f,
            "told: {} notifications, {} deliveries taken, {} turned away and sent again",
            self.notifications, self.deliveries, self.turned_away
        )?;
        match &self.wrong[..] {
            [] => write!(f, "nothing was lost and nothing doubled"),
            wrong => write!(f, "WRONG, {} things:\n  {}", wrong.len(), wrong.join("\n  ")),
        }
    }
}

/// Whether the incident that `opened` opens is about the injection: it overlaps it, or begins with a window in which the
/// fault was still seen.
fn overlaps(opened: &Alert, streams: &Streams, injection: &Injection) -> bool {
    let resolved = streams
        .alerts
        .iter()
        .find(|alert| alert.incident == opened.incident && alert.event == Event::Resolved)
        .map_or(u64::MAX, |alert| alert.window_end_ms);
    opened.since_ms < injection.to_ms + WINDOW_MS && resolved > injection.from_ms + WINDOW_MS
}

/// Every monitor's streams, once each is scored to its end, past `last` and a calm after it, and no incident is open.
fn settle(connection: &mut Connection, last: u64) -> Result<Vec<Streams>> {
    let deadline = Instant::now() + PATIENCE;
    let mut all = Vec::new();
    for monitor in 0..MONITORS {
        let keys = Companions::of(name(monitor).as_bytes())?;
        loop {
            let streams = look(connection, &keys)?;
            let scored = streams.scores.last().map(end_ms).unwrap_or_default();
            let open = streams.alerts.last().is_some_and(Alert::is_open);
            let late = Instant::now() > deadline;
            if scored > last + QUIET * WINDOW_MS && (!open || late) {
                all.push(streams);
                break;
            }
            if late {
                bail!("{}: scored only up to {scored} where {last} was wanted", name(monitor));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(all)
}

/// What stands at one moment, up to the last window that has its score.
fn look(connection: &mut Connection, keys: &Companions) -> Result<Streams> {
    let mut pipe = redis::pipe();
    for stream in [keys.fingerprints(), keys.scores(), keys.incidents()] {
        pipe.cmd("XRANGE").arg(stream).arg("-").arg("+");
    }
    pipe.cmd("HGETALL").arg(keys.schemas());
    type Reply = (Vec<RawEntry>, Vec<RawEntry>, Vec<RawEntry>, BTreeMap<String, String>);
    let (mut fingerprints, scores, incidents, schemas): Reply = pipe.atomic().query(connection)?;
    let scored = scores.last().map(end_ms).unwrap_or_default();
    fingerprints.retain(|entry| end_ms(entry) <= scored);
    let alert = |(_, fields): &RawEntry| Ok(serde_json::from_slice(fields.get("alert").context("no alert")?)?);
    let alerts = incidents.iter().map(alert).collect::<Result<_>>()?;
    Ok(Streams { fingerprints, scores, alerts, schemas })
}

fn end_ms((id, _): &RawEntry) -> u64 {
    id.split('-').next().and_then(|ms| ms.parse().ok()).unwrap_or_default()
}
