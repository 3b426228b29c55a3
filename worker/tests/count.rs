//! Counting without the module: the same fingerprints to the byte, whatever happens to the worker.

mod plain;

use eddyline_testkit::{Server, eventually};
use eddyline_worker::count::state::State;
use plain::{SOON, Worker, random};
use redis::{Connection, Value};
use std::collections::BTreeMap;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

type Entries = Vec<(String, Vec<(String, Vec<u8>)>)>;

const START: u64 = 1_795_166_000_000;

fn command(connection: &mut Connection, words: &str) -> Value {
    let words: Vec<&str> = words.split(' ').collect();
    redis::cmd(words[0]).arg(&words[1..]).query(connection).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

fn fingerprints(connection: &mut Connection) -> Entries {
    redis::cmd("XRANGE").arg("{checkout}:fingerprints").arg("-").arg("+").query(connection).unwrap()
}

fn schemas(connection: &mut Connection) -> BTreeMap<String, String> {
    redis::cmd("HGETALL").arg("{checkout}:schemas").query(connection).unwrap()
}

fn field<'a>(entry: &'a (String, Vec<(String, Vec<u8>)>), name: &str) -> Option<&'a [u8]> {
    entry.1.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_slice())
}

/// Calls of a shop: idle windows, a long silence, late entries, and fields that are absent or can't be read.
fn calls(windows: std::ops::Range<u64>) -> Vec<(String, Vec<(&'static str, String)>)> {
    let mut calls = Vec::new();
    for i in windows {
        // window 40 is empty, and after window 60 nothing comes for longer than a monitor writes empty ones
        let window = START + i * 1000 + if i > 60 { 1_100_000 } else { 0 };
        let n = if i == 40 { 0 } else { 20 + random(i) % 30 };
        for call in 0..n {
            let hash = random(i * 1000 + call);
            let peer = ["pay", "stock", "mail", "cart"][(hash % 4) as usize];
            let latency = match hash / 4 % 50 {
                0 => "soon".to_owned(),
                1 => String::new(),
                ms => (ms * 7 + hash / 256 % 400).to_string(),
            };
            let mut fields = vec![("service", "web".to_owned()), ("peer", peer.to_owned()), ("latency_ms", latency)];
            if !hash.is_multiple_of(9) {
                fields.push(("user", format!("u{}", hash / 16 % 5000)));
            }
            calls.push((format!("{}-{call}", window + call * 1000 / n), fields));
        }
    }
    calls
}

fn add(connection: &mut Connection, stream: &str, calls: &[(String, Vec<(&'static str, String)>)]) {
    for part in calls.chunks(500) {
        let mut pipe = redis::pipe();
        for (id, fields) in part {
            pipe.cmd("XADD").arg(stream).arg(id);
            for (field, value) in fields {
                pipe.arg(*field).arg(value);
            }
        }
        pipe.exec(connection).unwrap();
    }
}

fn wait_for_window(connection: &mut Connection, end_ms: u64) {
    let id = format!("{end_ms}-0");
    eventually(SOON, || fingerprints(connection).last().is_some_and(|(last, _)| *last >= id));
}

/// What the module makes of these calls.
fn by_the_module(
    options: &str,
    calls: &[(String, Vec<(&'static str, String)>)],
) -> (Entries, BTreeMap<String, String>) {
    let server = Server::with_module().start().unwrap();
    let mut connection = server.connection().unwrap();
    command(&mut connection, &format!("EDDY.CREATE checkout SOURCES 1 metrics FROM 0 {options}"));
    add(&mut connection, "metrics", calls);
    let last: u64 = calls.last().unwrap().0.split('-').next().unwrap().parse().unwrap();
    wait_for_window(&mut connection, last / 1000 * 1000);
    (fingerprints(&mut connection), schemas(&mut connection))
}

const GIVEN: &str = "CLOCK stream WINDOW 1000 DIMENSIONS 2 service peer CROSSES 1 peer*latency_ms@0.25 MEASURES 1 latency_ms UNIQUES 1 user";
const INFERRED: &str = "CLOCK stream WINDOW 1000";

fn assert_same_as_the_module(options: &str) {
    let calls = calls(0..120);
    let expected = by_the_module(options, &calls);
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    let (before, after) = calls.split_at(calls.len() / 3);
    // a backlog, and entries as they come
    add(&mut connection, "metrics", before);
    let worker = Worker::with(&server, &["--count", &format!("metrics=checkout FROM 0 {options}")]);
    for part in after.chunks(97) {
        add(&mut connection, "metrics", part);
        sleep(Duration::from_millis(20));
    }
    wait_for_window(&mut connection, expected.0.last().unwrap().0.strip_suffix("-0").unwrap().parse().unwrap());
    worker.stop();
    let told: Vec<_> = fingerprints(&mut connection);
    let ids = |entries: &Entries| entries.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&told), ids(&expected.0));
    assert!(told.iter().any(|entry| field(entry, "gap").is_some()), "the silence must be a gap");
    assert!(told.iter().any(|entry| field(entry, "n") == Some(b"0")), "there must be idle windows");
    assert!(told == expected.0, "the same fields and vectors");
    assert_eq!(schemas(&mut connection), expected.1);
}

#[test]
fn given_fields_are_counted_to_the_byte_as_the_module_counts_them() {
    assert_same_as_the_module(GIVEN);
}

#[test]
fn inferred_fields_are_counted_to_the_byte_as_the_module_counts_them() {
    assert_same_as_the_module(INFERRED);
}

#[test]
fn a_worker_killed_at_any_moment_counts_every_entry_once() {
    let calls = calls(0..150);
    let expected = by_the_module(GIVEN, &calls).0;
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    let flag = format!("metrics=checkout FROM 0 {GIVEN}");
    let (mut chance, mut parts) = (7_u64, calls.chunks(67));
    for _ in 0..10 {
        let mut worker = Worker::with(&server, &["--count", &flag]);
        chance = random(chance);
        let deadline = Instant::now() + Duration::from_millis(chance % 150 + 20);
        while Instant::now() < deadline {
            if let Some(part) = parts.next() {
                add(&mut connection, "metrics", part);
            }
            sleep(Duration::from_millis(3));
        }
        worker.kill();
        command(&mut connection, "DEL {checkout}:counting-lease {checkout}:lease");
    }
    parts.for_each(|part| add(&mut connection, "metrics", part));
    let worker = Worker::with(&server, &["--count", &flag]);
    wait_for_window(&mut connection, expected.last().unwrap().0.strip_suffix("-0").unwrap().parse().unwrap());
    worker.stop();
    assert!(fingerprints(&mut connection) == expected);
}

#[test]
fn two_workers_count_once_and_a_dead_ones_stream_is_taken_over_within_five_seconds() {
    let calls = calls(0..60);
    let expected = by_the_module(GIVEN, &calls).0;
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    let flag = format!("metrics=checkout FROM 0 {GIVEN}");
    let mut first = Worker::with(&server, &["--count", &flag]);
    eventually(SOON, || command(&mut connection, "EXISTS {checkout}:counting") == Value::Int(1));
    let second = Worker::with(&server, &["--count", &flag]);
    let (before, after) = calls.split_at(calls.len() / 2);
    for part in before.chunks(50) {
        add(&mut connection, "metrics", part);
        sleep(Duration::from_millis(5));
    }
    first.kill();
    add(&mut connection, "metrics", after);
    let died = Instant::now();
    wait_for_window(&mut connection, expected.last().unwrap().0.strip_suffix("-0").unwrap().parse().unwrap());
    assert!(died.elapsed() < Duration::from_secs(5), "{:?}", died.elapsed());
    second.stop();
    assert!(fingerprints(&mut connection) == expected);
}

#[test]
fn a_stream_trimmed_under_the_worker_is_a_gap_and_said() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    let flag = format!("metrics=checkout FROM 0 {GIVEN}");
    add(&mut connection, "metrics", &calls(0..5));
    let worker = Worker::with(&server, &["--count", &flag]);
    wait_for_window(&mut connection, START + 4000);
    worker.signal("-STOP");
    let missed = calls(5..30);
    add(&mut connection, "metrics", &missed);
    add(&mut connection, "metrics", &calls(30..33));
    let kept: u64 = calls(30..33).len() as u64;
    command(&mut connection, &format!("XTRIM metrics MAXLEN = {kept}"));
    worker.signal("-CONT");
    wait_for_window(&mut connection, START + 32_000);
    let log = worker.stop();
    assert!(
        log.contains("entries went from the stream before they were counted")
            && log.contains(&format!("\"entries\":{}", missed.len())),
        "{log}"
    );
    let told = fingerprints(&mut connection);
    let (cut, after) = (&told[4], &told[5]);
    assert_eq!((cut.0.as_str(), field(cut, "partial")), (format!("{}-0", START + 5000).as_str(), Some(&b"1"[..])));
    assert_eq!(
        (after.0.as_str(), field(after, "gap")),
        (format!("{}-0", START + 31_000).as_str(), Some(&b"25000"[..]))
    );
}

#[test]
fn by_the_servers_clock_an_idle_stream_leaves_empty_windows_and_they_are_scored_within_a_second() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    let worker = Worker::with(&server, &["--count", "metrics=checkout WINDOW 500 DIMENSIONS 1 service"]);
    eventually(SOON, || command(&mut connection, "EXISTS {checkout}:counting") == Value::Int(1));
    command(&mut connection, "XADD metrics * service web");
    eventually(SOON, || {
        let told = fingerprints(&mut connection);
        let counted = told.iter().position(|entry| field(entry, "n") == Some(b"1"));
        counted.is_some_and(|counted| told.len() > counted + 4)
    });
    let told = fingerprints(&mut connection);
    let ends: Vec<u64> = told.iter().map(|(id, _)| id.strip_suffix("-0").unwrap().parse().unwrap()).collect();
    assert!(ends.windows(2).all(|pair| pair[1] - pair[0] == 500), "{ends:?}");
    eventually(SOON, || {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
        let scored: Vec<(String, BTreeMap<String, String>)> = redis::cmd("XREVRANGE")
            .arg("{checkout}:scores")
            .arg("+")
            .arg("-")
            .arg("COUNT")
            .arg(1)
            .query(&mut connection)
            .unwrap();
        scored.first().is_some_and(|(id, _)| now - id.strip_suffix("-0").unwrap().parse::<u64>().unwrap() < 1000)
    });
    worker.stop();
}

#[test]
fn a_worker_that_was_away_finds_idle_windows_but_a_server_that_was_away_leaves_a_gap() {
    let mut server = Server::plain().args(["--appendonly", "yes", "--appendfsync", "always"]).start().unwrap();
    let mut connection = server.connection().unwrap();
    let flag = ["--count", "metrics=checkout WINDOW 500 DIMENSIONS 1 service"];
    let worker = Worker::with(&server, &flag);
    eventually(SOON, || !fingerprints(&mut connection).is_empty());
    worker.stop();
    sleep(Duration::from_millis(1600));
    let worker = Worker::with(&server, &flag);
    let before = fingerprints(&mut connection).len();
    eventually(SOON, || fingerprints(&mut connection).len() >= before + 4);
    assert!(fingerprints(&mut connection)[1..].iter().all(|entry| field(entry, "gap").is_none()));
    server.kill().unwrap();
    sleep(Duration::from_millis(1600));
    server.start().unwrap();
    let mut connection = server.connection().unwrap();
    eventually(SOON, || fingerprints(&mut connection).iter().skip(1).any(|entry| field(entry, "gap").is_some()));
    worker.stop();
}

#[test]
fn another_definition_goes_on_where_the_old_one_was_in_the_stream() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    let calls = calls(0..30);
    let (before, after) = calls.split_at(calls.len() / 2);
    add(&mut connection, "metrics", before);
    let worker = Worker::with(&server, &["--count", &format!("metrics=checkout FROM 0 {GIVEN}")]);
    wait_for_window(&mut connection, START + 10_000);
    worker.stop();
    add(&mut connection, "metrics", after);
    let worker =
        Worker::with(&server, &["--count", "metrics=checkout FROM 0 CLOCK stream WINDOW 1000 DIMENSIONS 1 peer"]);
    wait_for_window(&mut connection, START + 29_000);
    let log = worker.stop();
    assert!(log.contains("its definition changed"), "{log}");
    let told = fingerprints(&mut connection);
    let schemas: Vec<_> = told.iter().filter_map(|entry| field(entry, "schema").map(<[u8]>::to_vec)).collect();
    let change = schemas.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert_eq!((change, told.len()), (1, 29), "no window twice and none left out");
}

#[test]
fn without_memory_counting_waits_and_loses_nothing() {
    let calls = calls(0..60);
    let expected = by_the_module(GIVEN, &calls).0;
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    let (before, after) = calls.split_at(calls.len() / 2);
    add(&mut connection, "metrics", before);
    let worker = Worker::with(&server, &["--count", &format!("metrics=checkout FROM 0 {GIVEN}")]);
    wait_for_window(&mut connection, START + 20_000);
    add(&mut connection, "metrics", after);
    command(&mut connection, "CONFIG SET maxmemory 1");
    sleep(Duration::from_millis(1500));
    command(&mut connection, "CONFIG SET maxmemory 0");
    add(&mut connection, "metrics", &[(format!("{}-0", START + 59_999), vec![("service", "web".to_owned())])]);
    wait_for_window(&mut connection, START + 59_000);
    worker.stop();
    assert!(fingerprints(&mut connection) == expected);
}

/// Two streams, side by side for fifteen windows; the entries of the second one from then on come when their windows are over.
fn in_two_streams(connection: &mut Connection) {
    for i in 0..20 {
        let (one, other): (Vec<_>, Vec<_>) = calls(i..i + 1).into_iter().enumerate().partition(|(i, _)| i % 3 > 0);
        let of = |part: Vec<(usize, _)>| part.into_iter().map(|(_, call)| call).collect::<Vec<_>>();
        add(connection, "metrics", &of(one));
        if i < 15 {
            add(connection, "other", &of(other));
        }
    }
    wait_for_window(connection, START + 19_000);
    add(connection, "other", &calls(15..17));
    add(connection, "metrics", &calls_at(START + 21_000));
    wait_for_window(connection, START + 21_000);
}

fn calls_at(ms: u64) -> Vec<(String, Vec<(&'static str, String)>)> {
    vec![(format!("{ms}-0"), vec![("service", "web".to_owned())])]
}

#[test]
fn several_streams_of_the_settings_file_are_merged_and_late_entries_left_out_as_by_the_module() {
    const OPTIONS: &str = "CLOCK stream WINDOW 1000 DIMENSIONS 2 service peer";
    let server = Server::with_module().start().unwrap();
    let mut connection = server.connection().unwrap();
    command(&mut connection, &format!("EDDY.CREATE checkout SOURCES 2 metrics other FROM 0 {OPTIONS}"));
    in_two_streams(&mut connection);
    let expected = fingerprints(&mut connection);

    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("eddyline.toml");
    std::fs::write(
        &file,
        "[count.checkout]\nstreams = ['metrics', 'other']\nfrom = '0'\nclock = 'stream'\nwindow_ms = 1000\n\
         dimensions = ['service', 'peer']\n",
    )
    .unwrap();
    let worker = Worker::with(&server, &["--config", file.to_str().unwrap()]);
    in_two_streams(&mut connection);
    worker.stop();
    let n = |entries: &Entries| -> Vec<(String, Vec<u8>)> {
        entries.iter().map(|entry| (entry.0.clone(), field(entry, "n").unwrap().to_vec())).collect()
    };
    assert_eq!(n(&fingerprints(&mut connection)), n(&expected));
    let state: Vec<u8> = redis::cmd("GET").arg("{checkout}:counting").query(&mut connection).unwrap();
    assert_eq!(State::decode(&state).unwrap().monitor.left_out().late, calls(15..17).len() as u64);
}

#[test]
fn a_stream_that_was_deleted_and_made_anew_is_read_from_its_start() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    let worker = Worker::with(&server, &["--count", &format!("metrics=checkout FROM 0 {GIVEN}")]);
    add(&mut connection, "metrics", &calls(0..10));
    wait_for_window(&mut connection, START + 9000);
    command(&mut connection, "DEL metrics");
    // older than the open window, then newer
    add(&mut connection, "metrics", &calls_at(START + 5000));
    add(&mut connection, "metrics", &calls(10..12));
    wait_for_window(&mut connection, START + 11_000);
    worker.stop();
    let told = fingerprints(&mut connection);
    let n: u64 =
        told.iter().map(|entry| String::from_utf8_lossy(field(entry, "n").unwrap()).parse::<u64>().unwrap()).sum();
    assert_eq!(n, calls(0..11).len() as u64);
    let state: Vec<u8> = redis::cmd("GET").arg("{checkout}:counting").query(&mut connection).unwrap();
    assert_eq!(State::decode(&state).unwrap().monitor.left_out().late, 1);
}

/// By the server's clock windows close at their time; only those count that had their entries well within.
#[test]
fn by_the_servers_clock_the_fingerprints_are_those_of_the_module_too() {
    const OPTIONS: &str = "WINDOW 1000 DIMENSIONS 2 service peer MEASURES 1 latency_ms";
    let (module, plain) = (Server::with_module().start().unwrap(), Server::plain().start().unwrap());
    let mut both = [module.connection().unwrap(), plain.connection().unwrap()];
    command(&mut both[0], &format!("EDDY.CREATE checkout SOURCES 1 metrics {OPTIONS}"));
    let worker = Worker::with(&plain, &["--count", &format!("metrics=checkout {OPTIONS}")]);
    eventually(SOON, || both.iter_mut().all(|connection| !fingerprints(connection).is_empty()));
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
    let (mut fair, mut last) = (Vec::new(), 0);
    for turn in 0..60 {
        let window = now() / 1000 * 1000 + 1000;
        // two of three windows have entries
        if turn % 3 < 2 {
            sleep(Duration::from_millis((window + 200).saturating_sub(now())));
            for (i, (_, fields)) in calls(turn..turn + 1).into_iter().enumerate() {
                let call = [(format!("{}-{i}", window + 200), fields)];
                both.iter_mut().for_each(|connection| add(connection, "metrics", &call));
            }
            if now() < window + 700 {
                fair.push(format!("{}-0", window + 1000));
            }
        } else {
            sleep(Duration::from_millis((window + 200).saturating_sub(now())));
            fair.push(format!("{}-0", window + 1000));
        }
        last = window + 1000;
        if fair.len() >= 5 {
            break;
        }
    }
    both.iter_mut().for_each(|connection| wait_for_window(connection, last));
    worker.stop();
    let of = |entries: Entries| entries.into_iter().filter(|(id, _)| fair.contains(id)).collect::<Entries>();
    let [expected, told] = both.each_mut().map(|connection| of(fingerprints(connection)));
    assert!(fair.len() >= 5 && expected.len() == fair.len(), "{fair:?}");
    assert!(told == expected);
    assert!(told.iter().any(|entry| field(entry, "n") == Some(b"0")), "one of them is idle");
}

#[test]
fn the_doctor_finds_nothing_wrong_while_somebody_counts() {
    let server = Server::plain().args(["--appendonly", "yes"]).start().unwrap();
    let mut connection = server.connection().unwrap();
    let doctor = || {
        let mut doctor = Command::new(env!("CARGO_BIN_EXE_eddyline"));
        let output = doctor.args(["doctor", "--json", "--redis", &server.url()]).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let codes =
            report["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap().to_owned());
        codes.collect::<Vec<_>>()
    };
    let worker = Worker::with(&server, &["--count", "metrics=checkout WINDOW 500 DIMENSIONS 1 service"]);
    eventually(SOON, || fingerprints(&mut connection).len() > 2);
    let codes = doctor();
    for code in ["no_module", "no_monitor", "left_behind", "not_counted", "not_scored"] {
        assert!(!codes.iter().any(|found| found == code), "{code} in {codes:?}");
    }
    worker.stop();
    assert!(doctor().iter().any(|code| code == "not_counted"));
}
