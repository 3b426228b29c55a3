//! Losing Redis is normal: whatever it refuses and however it goes, it is said once, and the work goes on where it stopped.

mod plain;

use eddyline_testkit::{Server, eventually};
use plain::{MONITOR, SOON, Worker, assert_undisturbed, schema, wait_for_score, write_fingerprints, write_schema};
use redis::Connection;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tempfile::NamedTempFile;

const WINDOWS: u64 = 420;

/// A worker whose log can be read at any time.
struct Logged {
    worker: Worker,
    log: NamedTempFile,
}

impl Logged {
    fn start(url: &str) -> Self {
        Self::with_fault(url, None)
    }

    fn with_fault(url: &str, fault: Option<&str>) -> Self {
        let log = NamedTempFile::new().unwrap();
        let stderr = Stdio::from(File::options().append(true).open(log.path()).unwrap());
        Self { worker: Worker::spawn(url, &["--monitor", MONITOR], stderr, fault), log }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }

    #[track_caller]
    fn wait_to_say(&self, what: &str) {
        eventually(SOON, || self.log().contains(what));
    }

    fn said(&self, what: &str) -> usize {
        self.log().matches(what).count()
    }

    fn stop(self) -> String {
        self.worker.stop();
        fs::read_to_string(self.log.path()).unwrap()
    }
}

/// A primary or replica with the schema, and a connection for the test.
fn stage(setup: eddyline_testkit::Setup) -> (Server, Connection) {
    let server = setup.start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    (server, connection)
}

fn command(connection: &mut Connection, line: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    redis::cmd(words[0]).arg(&words[1..]).exec(connection).unwrap_or_else(|error| panic!("{line}: {error}"));
}

/// Passes bytes on to a port of the loopback, until it is told to hold them back.
struct Proxy {
    port: u16,
    target: Arc<AtomicU16>,
    holds: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            target: Arc::new(target.into()),
            holds: Arc::default(),
            open: Arc::default(),
        };
        let (target, holds, open) = (Arc::clone(&proxy.target), Arc::clone(&proxy.holds), Arc::clone(&proxy.open));
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let Ok(server) = TcpStream::connect(("127.0.0.1", target.load(Ordering::SeqCst))) else { continue };
                open.lock().unwrap().push(client.try_clone().unwrap());
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to, holds) = (from.try_clone().unwrap(), to.try_clone().unwrap(), Arc::clone(&holds));
                    thread::spawn(move || pass_on(from, to, &holds));
                }
            }
        });
        proxy
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn point_at(&self, target: u16) {
        self.target.store(target, Ordering::SeqCst);
    }

    fn hold(&self, holds: bool) {
        self.holds.store(holds, Ordering::SeqCst);
    }
}

/// What is held back is lost with its connection, as on a network that was cut.
fn pass_on(mut from: TcpStream, mut to: TcpStream, holds: &AtomicBool) {
    let mut bytes = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if holds.load(Ordering::SeqCst) {
            continue;
        }
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    if !holds.load(Ordering::SeqCst) {
        let _ = to.shutdown(std::net::Shutdown::Both);
    }
}

#[test]
fn a_worker_that_has_nobody_to_tell_says_nothing_of_notifications() {
    let (mut server, mut redis) = stage(Server::plain());
    let worker = Logged::start(&server.url());
    write_fingerprints(&mut redis, 1..150, 1);
    wait_for_score(&mut redis, 149);
    server.kill().unwrap();
    worker.wait_to_say("no connection");
    server.start().unwrap();
    let mut redis = server.connection().unwrap();
    write_schema(&mut redis, &schema(1));
    write_fingerprints(&mut redis, 150..300, 1);
    wait_for_score(&mut redis, 299);
    let log = worker.stop();
    assert!(!log.contains("notif"), "{log}");
}

#[test]
fn a_redis_that_restarts_is_said_once_and_found_again() {
    let mut setup = Server::plain();
    setup = setup.args(["--appendonly", "yes", "--appendfsync", "always"]);
    let (mut server, mut redis) = stage(setup);
    write_fingerprints(&mut redis, 1..200, 1);
    let worker = Logged::start(&server.url());
    wait_for_score(&mut redis, 199);
    server.kill().unwrap();
    worker.wait_to_say("no connection");
    // Long enough for several attempts.
    thread::sleep(Duration::from_secs(2));
    server.start().unwrap();
    let mut redis = server.connection().unwrap();
    write_fingerprints(&mut redis, 200..WINDOWS, 1);
    wait_for_score(&mut redis, WINDOWS - 1);
    assert_undisturbed(&mut redis, 1..WINDOWS);
    // That it went, and that nobody listens: each once, however many attempts there were.
    assert!(worker.said("no connection") <= 2, "{}", worker.log());
    assert_eq!(worker.said("\"connected\""), 2, "{}", worker.log());
    worker.stop();
}

#[test]
fn what_redis_refuses_is_said_once_and_done_when_it_may_be() {
    let (server, mut redis) = stage(Server::plain());
    command(&mut redis, "ACL SETUSER w on >secret ~* &* +@all");
    let path = server.url().replace("redis+unix://", "");
    let worker = Logged::start(&format!("redis+unix://{path}?user=w&pass=secret"));
    write_fingerprints(&mut redis, 1..200, 1);
    wait_for_score(&mut redis, 199);
    let mut written = 200;
    for (code, break_it, heal_it) in [
        ("NOPERM", &["ACL SETUSER w -xrange"][..], &["ACL SETUSER w +xrange"][..]),
        ("WRONGPASS", &["ACL DELUSER w"], &["ACL SETUSER w on >secret ~* &* +@all"]),
        ("OOM", &["CONFIG SET maxmemory 1"], &["CONFIG SET maxmemory 0"]),
        ("NOREPLICAS", &["CONFIG SET min-replicas-to-write 1"], &["CONFIG SET min-replicas-to-write 0"]),
        ("READONLY", &["REPLICAOF 127.0.0.1 1"], &["REPLICAOF NO ONE"]),
        (
            "MASTERDOWN",
            &["CONFIG SET replica-serve-stale-data no", "REPLICAOF 127.0.0.1 1"],
            &["REPLICAOF NO ONE", "CONFIG SET replica-serve-stale-data yes"],
        ),
    ] {
        worker.worker.signal("-STOP");
        write_fingerprints(&mut redis, written..written + 20, 1);
        written += 20;
        break_it.iter().for_each(|line| command(&mut redis, line));
        worker.worker.signal("-CONT");
        worker.wait_to_say(code);
        thread::sleep(Duration::from_millis(1500));
        heal_it.iter().for_each(|line| command(&mut redis, line));
        wait_for_score(&mut redis, written - 1);
        // The monitor's trouble, those of the list of monitors and of workers, and the notifier's two.
        assert!((1..=6).contains(&worker.said(code)), "{code}: {}", worker.log());
    }
    let log = worker.stop();
    assert!(!log.contains("secret"), "{log}");
    assert_undisturbed(&mut redis, 1..written);
}

#[test]
fn a_paused_redis_is_waited_for_and_a_loading_one_too() {
    let setup = Server::plain().args(["--appendonly", "yes", "--appendfsync", "always", "--key-load-delay", "500"]);
    let (mut server, mut redis) = stage(setup);
    let worker = Logged::start(&server.url());
    write_fingerprints(&mut redis, 1..200, 1);
    wait_for_score(&mut redis, 199);
    let mut fill = redis::pipe();
    for i in 0..4000 {
        fill.cmd("SET").arg(format!("key-{i}")).arg(i);
    }
    fill.exec(&mut redis).unwrap();
    write_fingerprints(&mut redis, 200..250, 1);
    command(&mut redis, "CLIENT PAUSE 1500 ALL");
    write_fingerprints(&mut redis, 250..300, 1);
    wait_for_score(&mut redis, 299);
    assert_eq!(worker.said("no connection"), 0, "a pause is no loss: {}", worker.log());
    server.restart().unwrap();
    let mut redis = server.connection().unwrap();
    write_fingerprints(&mut redis, 300..WINDOWS, 1);
    wait_for_score(&mut redis, WINDOWS - 1);
    worker.stop();
    assert_undisturbed(&mut redis, 1..WINDOWS);
}

#[test]
fn a_primary_that_became_a_replica_is_left_for_the_new_one() {
    let (primary, mut redis) = stage(Server::plain().tcp());
    let replica = Server::plain().tcp().replica_of(&primary).start().unwrap();
    let proxy = Proxy::to(primary.port().unwrap());
    let worker = Logged::start(&proxy.url());
    write_fingerprints(&mut redis, 1..250, 1);
    wait_for_score(&mut redis, 249);
    replica.catch_up_with(&primary).unwrap();
    // The name points at the new primary, while the connection still ends at the old one.
    proxy.point_at(replica.port().unwrap());
    primary.fail_over_to(&replica).unwrap();
    let mut redis = replica.connection().unwrap();
    write_fingerprints(&mut redis, 250..WINDOWS, 1);
    wait_for_score(&mut redis, WINDOWS - 1);
    let log = worker.stop();
    assert!(log.contains("READONLY"), "{log}");
    assert_undisturbed(&mut redis, 1..WINDOWS);
}

#[test]
fn a_connection_that_went_silent_is_given_up_and_made_anew() {
    let (server, mut redis) = stage(Server::plain().tcp());
    let proxy = Proxy::to(server.port().unwrap());
    let worker = Logged::start(&proxy.url());
    write_fingerprints(&mut redis, 1..250, 1);
    wait_for_score(&mut redis, 249);
    proxy.hold(true);
    write_fingerprints(&mut redis, 250..WINDOWS, 1);
    worker.wait_to_say("no connection");
    proxy.hold(false);
    wait_for_score(&mut redis, WINDOWS - 1);
    worker.stop();
    assert_undisturbed(&mut redis, 1..WINDOWS);
}

#[test]
fn windows_that_were_trimmed_unread_are_told() {
    let (server, mut redis) = stage(Server::plain());
    write_fingerprints(&mut redis, 1..250, 1);
    let worker = Logged::start(&server.url());
    wait_for_score(&mut redis, 249);
    worker.stop();
    write_fingerprints(&mut redis, 250..300, 1);
    redis::cmd("XTRIM").arg(plain::keys().fingerprints()).arg("MAXLEN").arg(20).exec(&mut redis).unwrap();
    let worker = Logged::start(&server.url());
    wait_for_score(&mut redis, 299);
    let log = worker.stop();
    assert_eq!(log.matches("windows were trimmed from the stream").count(), 1, "{log}");
    let scores = plain::scores(&mut redis);
    let missed: Vec<(&str, &str)> =
        scores.iter().filter_map(|(id, fields)| Some((id.as_str(), fields.get("missed")?.as_str()))).collect();
    assert_eq!(missed, [(plain::id(280).as_str(), "30")]);
}

#[test]
fn a_window_that_breaks_the_model_is_left_out_and_the_last_good_model_goes_on() {
    let (server, mut redis) = stage(Server::plain());
    let broken = plain::fingerprint(150, 1).end_ms;
    let worker = Logged::with_fault(&server.url(), Some(&format!("panic {broken} {broken}")));
    write_fingerprints(&mut redis, 1..300, 1);
    wait_for_score(&mut redis, 299);
    let log = worker.stop();
    assert_eq!(log.matches("degraded: window").count(), 1, "{log}");
    assert!(log.contains("the last good model is in charge") && log.contains("not degraded any more"), "{log}");
    let scores = plain::scores(&mut redis);
    assert_eq!(scores.len(), 299);
    let odd: Vec<&str> =
        scores.iter().filter(|(_, fields)| fields["state"] == "unreadable").map(|(id, _)| id.as_str()).collect();
    assert_eq!(odd, [plain::id(150)]);
    assert!(!plain::incidents(&mut redis).is_empty(), "the burst at 200 is found nevertheless");
}

#[test]
fn a_model_that_goes_on_breaking_hands_over_to_the_robust_baseline_and_comes_back() {
    let (server, mut redis) = stage(Server::plain());
    let ends = [150, 160].map(|i| plain::fingerprint(i, 1).end_ms);
    let worker = Logged::with_fault(&server.url(), Some(&format!("panic {} {}", ends[0], ends[1])));
    write_fingerprints(&mut redis, 1..300, 1);
    wait_for_score(&mut redis, 299);
    let log = worker.stop();
    assert!(log.contains("the robust baseline is in charge") && log.contains("not degraded any more"), "{log}");
    let scores = plain::scores(&mut redis);
    assert_eq!(scores.len(), 299);
    let odd = scores.iter().filter(|(_, fields)| fields["state"] == "unreadable").count();
    assert_eq!(odd, 3, "the three that broke it; the robust baseline judges the rest");
    assert!(!plain::incidents(&mut redis).is_empty());
}
