//! Sources that are deleted, renamed, trimmed, replaced or rewound: nothing that can be read is lost, nothing is counted
//! twice, and what can't be read is told.

mod support;

use eddyline_testkit::{Server, eventually};
use redis::Connection;
use support::workload::onlooker;
use support::{SOON, call, counted, digest, info, server, settled};

const CREATE: &str = "EDDY.CREATE m SOURCES 1 metrics CLOCK stream WINDOW 60000 DIMENSIONS 1 service";

fn add(redis: &mut Connection, stream: &str, id: &str) {
    call::<String>(redis, &format!("XADD {stream} {id} service pay"));
}

/// Observations in all windows, once everything is read.
fn all(redis: &mut Connection, monitor: &str) -> u64 {
    settled(redis, monitor);
    counted(redis, monitor)
}

/// A monitor whose outbox is full and stays so, so that its entries wait to be read; `let_go` ends that.
fn held(redis: &mut Connection) {
    call::<()>(redis, "EDDY.CREATE m SOURCES 1 metrics CLOCK stream WINDOW 1000 DIMENSIONS 1 service");
    call::<()>(redis, "SET {m}:fingerprints in-the-way");
    for second in 10..80 {
        add(redis, "metrics", &format!("{second}000-1"));
    }
    eventually(SOON, || info(redis, "m", "following") == "no");
}

fn let_go(redis: &mut Connection) {
    call::<()>(redis, "DEL {m}:fingerprints");
    settled(redis, "m");
}

/// Whether the value that the server has is the one that its append-only file, rewritten now, gives. Restarts it.
fn agrees_with_its_file(server: &mut Server) {
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "CLIENT PAUSE 100000 WRITE");
    let before = digest(&mut redis, "m");
    call::<()>(&mut redis, "BGREWRITEAOF");
    eventually(SOON, || {
        let info: String = call(&mut redis, "INFO persistence");
        info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0")
    });
    server.kill().unwrap();
    let looks = onlooker(server, &["--appendonly", "yes"]);
    assert_eq!(digest(&mut looks.connection().unwrap(), "m"), before);
    server.start().unwrap();
}

fn with_file(preamble: &str) -> Server {
    let args = ["--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", preamble];
    Server::with_module().args(args).start().unwrap()
}

#[test]
fn a_source_trimmed_under_load_loses_nothing() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, CREATE);
    for _ in 0..20 {
        let mut pipe = redis::pipe();
        for _ in 0..1000 {
            pipe.cmd("XADD").arg(&["metrics", "MAXLEN", "~", "100", "*", "service", "pay"]).ignore();
        }
        pipe.exec(&mut redis).unwrap();
    }
    assert_eq!(all(&mut redis, "m"), 20_000);
    assert_eq!(info(&mut redis, "m", "left_out"), "");
}

#[test]
fn entries_trimmed_before_they_were_read_are_told() {
    let server = server();
    let mut redis = server.connection().unwrap();
    held(&mut redis);
    let before: u64 = info(&mut redis, "m", "observations").parse().unwrap();
    call::<i64>(&mut redis, "XTRIM metrics MAXLEN 3");
    call::<i64>(&mut redis, "XDEL metrics 78000-1");
    let_go(&mut redis);
    assert_eq!(info(&mut redis, "m", "observations"), (before + 2).to_string());
    assert_eq!(info(&mut redis, "m", "left_out"), format!("trimmed {}", 70 - before - 2));
}

#[test]
fn what_was_unread_of_a_deleted_source_is_told() {
    for preamble in ["yes", "no"] {
        let mut server = with_file(preamble);
        let mut redis = server.connection().unwrap();
        held(&mut redis);
        agrees_with_its_file(&mut server);
        let mut redis = server.connection().unwrap();
        let before: u64 = info(&mut redis, "m", "observations").parse().unwrap();
        add(&mut redis, "metrics", "80000-1");
        call::<i64>(&mut redis, "DEL metrics");
        agrees_with_its_file(&mut server);
        let mut redis = server.connection().unwrap();
        add(&mut redis, "metrics", "80000-0");
        let_go(&mut redis);
        assert_eq!(info(&mut redis, "m", "observations"), (before + 1).to_string());
        assert_eq!(info(&mut redis, "m", "left_out"), format!("trimmed {}", 71 - before));
        agrees_with_its_file(&mut server);
    }
}

#[test]
fn a_source_made_anew_with_lower_ids_is_read_from_its_start() {
    let mut server = with_file("no");
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, CREATE);
    for gone in ["DEL metrics", "UNLINK metrics", "PEXPIRE metrics -1", "RENAME metrics old", "MOVE metrics 1"] {
        add(&mut redis, "metrics", "5000-5");
        call::<redis::Value>(&mut redis, gone);
        add(&mut redis, "metrics", "5000-1");
        agrees_with_its_file(&mut server);
        redis = server.connection().unwrap();
        add(&mut redis, "metrics", "5000-2");
        call::<i64>(&mut redis, "DEL metrics");
    }
    assert_eq!(all(&mut redis, "m"), 15);
    assert_eq!(info(&mut redis, "m", "left_out"), "");
}

#[test]
fn a_source_that_comes_back_is_read_on_and_not_counted_again() {
    let mut server = with_file("no");
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, CREATE);
    for id in ["5000-1", "5000-2", "5000-3"] {
        add(&mut redis, "metrics", id);
    }
    call::<()>(&mut redis, "RENAME metrics away");
    add(&mut redis, "away", "5000-4");
    agrees_with_its_file(&mut server);
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "RENAME away metrics");
    assert_eq!(all(&mut redis, "m"), 4, "renamed there and back");
    let dump: Vec<u8> = call(&mut redis, "DUMP metrics");
    call::<i64>(&mut redis, "DEL metrics");
    redis::cmd("RESTORE").arg("metrics").arg(0).arg(dump).exec(&mut redis).unwrap();
    assert_eq!(all(&mut redis, "m"), 4, "dumped and restored");
    call::<i64>(&mut redis, "COPY metrics copy");
    add(&mut redis, "copy", "5000-5");
    call::<i64>(&mut redis, "COPY copy metrics REPLACE");
    assert_eq!(all(&mut redis, "m"), 5, "replaced by a copy of itself that has more");
    call::<i64>(&mut redis, "MOVE metrics 1");
    call::<()>(&mut redis, "SELECT 1");
    call::<i64>(&mut redis, "MOVE metrics 0");
    call::<()>(&mut redis, "SELECT 0");
    assert_eq!(all(&mut redis, "m"), 5, "moved there and back");
    add(&mut redis, "metrics", "5000-6");
    assert_eq!(all(&mut redis, "m"), 6);
    assert_eq!(info(&mut redis, "m", "left_out"), "");
    agrees_with_its_file(&mut server);
}

#[test]
fn a_source_whose_last_id_was_set_back_counts_on() {
    for preamble in ["yes", "no"] {
        let mut server = with_file(preamble);
        let mut redis = server.connection().unwrap();
        call::<()>(&mut redis, CREATE);
        for id in ["5000-1", "5000-2", "5000-9"] {
            add(&mut redis, "metrics", id);
        }
        // Valkey goes back behind trimmed entries only, not behind deleted ones
        call::<i64>(&mut redis, "XTRIM metrics MAXLEN 0");
        agrees_with_its_file(&mut server);
        let mut redis = server.connection().unwrap();
        call::<()>(&mut redis, "XSETID metrics 5000-2");
        add(&mut redis, "metrics", "5000-3");
        assert_eq!(counted(&mut redis, "m"), 4);
        call::<()>(&mut redis, "XSETID metrics 5000-90 ENTRIESADDED 100 MAXDELETEDID 5000-80");
        add(&mut redis, "metrics", "5000-91");
        assert_eq!(all(&mut redis, "m"), 5);
        assert_eq!(info(&mut redis, "m", "left_out"), "");
        agrees_with_its_file(&mut server);
    }
}

#[test]
fn entries_added_while_a_monitor_is_elsewhere_are_read_when_it_is_back() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, CREATE);
    add(&mut redis, "metrics", "5000-1");
    let dump: Vec<u8> = call(&mut redis, "DUMP m");
    call::<i64>(&mut redis, "DEL m");
    add(&mut redis, "metrics", "5000-2");
    add(&mut redis, "metrics", "5000-3");
    call::<i64>(&mut redis, "XDEL metrics 5000-1");
    redis::cmd("RESTORE").arg("m").arg(0).arg(&dump).exec(&mut redis).unwrap();
    assert_eq!(all(&mut redis, "m"), 3);
    call::<i64>(&mut redis, "DEL m metrics");
    redis::cmd("RESTORE").arg("m").arg(0).arg(&dump).exec(&mut redis).unwrap();
    settled(&mut redis, "m");
    add(&mut redis, "metrics", "5000-1");
    assert_eq!(all(&mut redis, "m"), 2, "the source is another one");
}

#[test]
fn a_replica_that_hears_of_an_entry_after_its_stream_expired_there_agrees() {
    let primary = Server::with_module().tcp().start().unwrap();
    let replica = Server::with_module().replica_of(&primary).start().unwrap();
    let mut redis = primary.connection().unwrap();
    held(&mut redis);
    replica.catch_up_with(&primary).unwrap();
    // the replica hears of nothing until the stream has expired
    signal(&replica, "STOP");
    call::<i64>(&mut redis, "PEXPIRE metrics 50");
    add(&mut redis, "metrics", "90000-1");
    eventually(SOON, || call::<i64>(&mut redis, "EXISTS metrics") == 0);
    signal(&replica, "CONT");
    add(&mut redis, "metrics", "80000-1");
    let_go(&mut redis);
    replica.catch_up_with(&primary).unwrap();
    assert_eq!(digest(&mut replica.connection().unwrap(), "m"), digest(&mut redis, "m"));
    assert!(info(&mut redis, "m", "left_out").starts_with("trimmed "));
}

#[test]
fn a_replica_that_hears_of_an_entry_after_its_monitor_expired_there_agrees() {
    let primary = Server::with_module().tcp().start().unwrap();
    let replica = Server::with_module().replica_of(&primary).start().unwrap();
    let mut redis = primary.connection().unwrap();
    call::<()>(&mut redis, CREATE);
    replica.catch_up_with(&primary).unwrap();
    signal(&replica, "STOP");
    call::<i64>(&mut redis, "PEXPIRE m 2000");
    add(&mut redis, "metrics", "5000-1");
    call::<i64>(&mut redis, "PERSIST m");
    // by the replica's clock the monitor is past its time when it hears of the entry
    std::thread::sleep(std::time::Duration::from_millis(2100));
    signal(&replica, "CONT");
    replica.catch_up_with(&primary).unwrap();
    assert_eq!(counted(&mut redis, "m"), 1);
    assert_eq!(digest(&mut replica.connection().unwrap(), "m"), digest(&mut redis, "m"));
    add(&mut redis, "metrics", "5000-2");
    replica.catch_up_with(&primary).unwrap();
    assert_eq!(digest(&mut replica.connection().unwrap(), "m"), digest(&mut redis, "m"));
}

fn signal(server: &Server, name: &str) {
    let pid = server.pid().expect("it runs").to_string();
    assert!(std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
}

#[test]
fn a_stream_that_takes_the_name_of_another_source_is_not_counted_again() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m SOURCES 2 a b CLOCK stream WINDOW 60000 DIMENSIONS 1 service");
    for i in 1..=5 {
        add(&mut redis, "a", &format!("10000-{i}"));
    }
    call::<()>(&mut redis, "RENAME a b");
    assert_eq!(all(&mut redis, "m"), 5);
    add(&mut redis, "b", "10000-6");
    assert_eq!((all(&mut redis, "m"), info(&mut redis, "m", "left_out")), (6, String::new()));
}
