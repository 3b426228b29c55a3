//! Vector monitors: plain numbers that anyone adds, scored and alerted on like what the module counts.

mod plain;

use eddyline_testkit::{Server, eventually};
use eddyline_wire::alert::Alert;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::Companions;
use eddyline_worker::judging::choices::Choices;
use eddyline_worker::judging::identity::Identity;
use eddyline_worker::judging::judge::Judge;
use eddyline_worker::judging::results::results;
use eddyline_worker::store::vector;
use plain::{SOON, Worker, random};
use redis::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::process::Command;

const NAME: &str = "web-1";
const PERIOD_MS: u64 = 60_000;
const EPOCH_MS: u64 = 1_700_000_000_000;

fn keys() -> Companions {
    Companions::of(NAME.as_bytes()).unwrap()
}

/// Ids come about when they should, as those of a cron job do.
fn end_ms(i: u64) -> u64 {
    EPOCH_MS + i * PERIOD_MS + random(i) % 900
}

fn id(i: u64) -> String {
    format!("{}-0", end_ms(i))
}

/// A server's metrics; every 100 minutes its memory is far off for five.
fn metrics(i: u64) -> [f32; 2] {
    let noise = |x: u64| (random(x) % 1000) as f32 / 1000.0;
    let fault = if i >= 100 && i % 100 < 5 { 9.0 } else { 0.0 };
    [0.3 + noise(i), 4.0 + noise(i + 77_777) + fault]
}

fn command(redis: &mut Connection, line: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    redis::cmd(words[0]).arg(&words[1..]).exec(redis).unwrap();
}

fn add(redis: &mut Connection, windows: Range<u64>) {
    for i in windows {
        let [cpu, mem] = metrics(i);
        command(redis, &format!("XADD {{{NAME}}}:fingerprints {} cpu {cpu} mem {mem}", id(i)));
    }
}

type Entries = Vec<(String, BTreeMap<String, String>)>;

fn scores(redis: &mut Connection) -> Entries {
    plain::stream(redis, keys().scores())
}

fn wait_for_score(redis: &mut Connection, id: &str) {
    let place = |id: &str| EntryId::parse(id.as_bytes()).unwrap();
    eventually(SOON, || {
        let last: Entries =
            redis::cmd("XREVRANGE").arg(keys().scores()).arg(&["+", "-", "COUNT", "1"]).query(redis).unwrap();
        last.first().is_some_and(|(last, _)| place(last) >= place(id))
    });
}

/// What a worker that was never disturbed makes of the vectors.
fn undisturbed(windows: Range<u64>) -> (Vec<(String, String)>, Vec<Alert>) {
    let schema = vector::named_schema(PERIOD_MS, vec!["cpu".into(), "mem".into()]);
    let identity = Identity { deployment: plain::DEPLOYMENT.into(), monitor: NAME.into(), db: 0 };
    let (mut judge, mut announced) = (Judge::new(Choices { budget_per_day: 100.0, ..Choices::default() }), Vec::new());
    let (mut scores, mut alerts) = (Vec::new(), Vec::new());
    for i in windows {
        let fingerprint = vector::fingerprint(end_ms(i), schema.id, metrics(i).to_vec());
        let (score, said) = results(&mut judge, Some(&mut announced), &identity, &fingerprint, &schema).unwrap();
        scores.push((id(i), score.score.to_string()));
        alerts.extend(said);
    }
    (scores, alerts)
}

#[test]
fn plain_numbers_that_anyone_adds_lead_to_alerts() {
    let server = Server::plain().start().unwrap();
    let mut redis = server.connection().unwrap();
    let mut listening = server.connection().unwrap();
    let mut alerts = listening.as_pubsub();
    alerts.subscribe("eddyline:alerts:web-1").unwrap();
    alerts.set_read_timeout(Some(SOON)).unwrap();
    let worker = Worker::with(&server, &[]);
    // the five lines of docs/vectors.md
    command(&mut redis, "HSET {web-1}:settings period_ms 60000");
    add(&mut redis, 1..103);
    let message: String = alerts.get_message().unwrap().get_payload().unwrap();
    let alert: Alert = serde_json::from_str(&message).unwrap();
    assert_eq!((alert.monitor.as_str(), alert.event.as_str(), alert.window_ms), (NAME, "opened", PERIOD_MS));
    assert_eq!(alert.causes[0].feature, "mem", "{message}");
    assert!(alert.summary.starts_with("mem above usual"), "{}", alert.summary);
    wait_for_score(&mut redis, &id(102));
    // what the features are called stands where everyone looks for it
    let features: String = redis::cmd("HGET").arg(keys().settings()).arg("features").query(&mut redis).unwrap();
    assert_eq!(features, r#"["cpu","mem"]"#);
    let schemas: BTreeMap<String, String> = redis::cmd("HGETALL").arg(keys().schemas()).query(&mut redis).unwrap();
    assert!(schemas.values().all(|record| record.contains(r#""features":["cpu","mem"]"#)) && schemas.len() == 1);
    let log = worker.stop();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
}

#[test]
fn a_worker_that_is_killed_and_started_again_scores_every_vector_once() {
    let server = Server::plain().start().unwrap();
    let mut redis = server.connection().unwrap();
    command(&mut redis, &format!("HSET {{{NAME}}}:settings period_ms {PERIOD_MS}"));
    let mut from = 1;
    for until in [80, 102, 203, 260] {
        let mut worker = Worker::with(&server, &[]);
        add(&mut redis, from..until);
        // in the middle of its work as a rule
        wait_for_score(&mut redis, &id((from + until) / 2));
        worker.kill();
        command(&mut redis, &format!("DEL {{{NAME}}}:lease"));
        from = until;
    }
    let _worker = Worker::with(&server, &[]);
    wait_for_score(&mut redis, &id(259));
    let (expected, alerts) = undisturbed(1..260);
    let found: Vec<(String, String)> =
        scores(&mut redis).into_iter().map(|(id, mut fields)| (id, fields.remove("score").unwrap())).collect();
    assert_eq!(found, expected);
    let incidents: Vec<Alert> = plain::stream(&mut redis, keys().incidents())
        .iter()
        .map(|(_, fields)| serde_json::from_str(&fields["alert"]).unwrap())
        .collect();
    assert_eq!(incidents, alerts);
    assert!(incidents.len() >= 4, "{incidents:?}");
}

#[test]
fn what_is_wrong_with_a_vector_is_said_and_the_rest_of_it_counts() {
    let server = Server::plain().start().unwrap();
    let mut redis = server.connection().unwrap();
    let worker = Worker::with(&server, &["--monitor", NAME]);
    // before there is a period
    command(&mut redis, "XADD {web-1}:fingerprints 1-0 cpu 1");
    wait_for_score(&mut redis, "1-0");
    command(&mut redis, "HSET {web-1}:settings period_ms 5");
    command(&mut redis, "XADD {web-1}:fingerprints 2-0 cpu 1");
    wait_for_score(&mut redis, "2-0");
    command(&mut redis, &format!("HSET {{web-1}}:settings period_ms {PERIOD_MS}"));
    add(&mut redis, 1..90);
    let odd = [
        "cpu high mem 4.5",
        "cpu 1 cpu 2 mem 4.5",
        "cpu 1 mem 4.5 disk 7",
        "cpu high",
        "host a",
        "mem 4.5",
        "cpu nan mem inf",
    ];
    for (i, fields) in (90..).zip(odd) {
        command(&mut redis, &format!("XADD {{web-1}}:fingerprints {} {fields}", id(i)));
    }
    command(&mut redis, &format!("XADD {{web-1}}:fingerprints {}-1 cpu 1 mem 4", end_ms(96)));
    redis::cmd("XADD").arg(keys().fingerprints()).arg(id(97)).arg("v").arg(&[0_u8; 12][..]).exec(&mut redis).unwrap();
    let blob: Vec<u8> = metrics(98).iter().flat_map(|value| value.to_le_bytes()).collect();
    redis::cmd("XADD").arg(keys().fingerprints()).arg(id(98)).arg("v").arg(blob).exec(&mut redis).unwrap();
    wait_for_score(&mut redis, &id(98));
    let log = worker.stop();
    let states: BTreeMap<String, String> =
        scores(&mut redis).into_iter().map(|(id, mut fields)| (id, fields.remove("state").unwrap())).collect();
    let unreadable: BTreeSet<String> =
        states.into_iter().filter(|(_, state)| *state == "unreadable").map(|(id, _)| id).collect();
    let second = format!("{}-1", end_ms(96));
    assert_eq!(unreadable, BTreeSet::from(["1-0".into(), "2-0".into(), id(93), id(94), second, id(97)]), "{log}");
    for says in [
        "no vector of your own either while the monitor's settings have no period_ms",
        "setting 'period_ms' must be 100 to 86400000, got '5'",
        "field 'cpu' isn't a number, so it is missing",
        "field 'cpu' is there twice, the first counts",
        "field 'disk' isn't in the setting 'features', so it isn't looked at",
        "vector has no number in any of the monitor's features",
        "of the vectors of one millisecond only the first is judged",
        "vector has 3 values, this monitor has 2 features",
    ] {
        assert_eq!(log.matches(says).count(), 1, "{says}\n{log}");
    }
}

#[test]
fn other_features_in_the_settings_start_a_new_baseline() {
    let server = Server::plain().start().unwrap();
    let mut redis = server.connection().unwrap();
    command(&mut redis, &format!("HSET {{{NAME}}}:settings period_ms {PERIOD_MS}"));
    add(&mut redis, 1..80);
    let worker = Worker::with(&server, &[]);
    wait_for_score(&mut redis, &id(79));
    redis::cmd("HSET").arg(keys().settings()).arg("features").arg(r#"["mem","cpu","disk"]"#).exec(&mut redis).unwrap();
    add(&mut redis, 80..90);
    wait_for_score(&mut redis, &id(89));
    worker.stop();
    assert_eq!(scores(&mut redis).pop().unwrap().1["state"], "warming 10/60");
}

#[test]
fn a_preview_of_a_live_monitor_leaves_it_as_it_is() {
    let server = Server::plain().start().unwrap();
    let mut redis = server.connection().unwrap();
    command(&mut redis, &format!("HSET {{{NAME}}}:settings period_ms {PERIOD_MS}"));
    add(&mut redis, 1..210);
    let digest = |redis: &mut Connection| -> String { redis::cmd("DEBUG").arg("DIGEST").query(redis).unwrap() };
    let before = digest(&mut redis);
    let output = Command::new(env!("CARGO_BIN_EXE_eddyline"))
        .args(["replay", "--preview", "--redis", &server.url(), "--monitor", NAME, "--budget", "100"])
        .output()
        .unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(report.contains("100 a day     60 s      auto") && report.contains("mem above usual"), "{report}");
    assert_eq!(digest(&mut redis), before);
}
