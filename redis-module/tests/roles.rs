//! The users that `docs/operations.md` proposes: a writer and a reader can do their work, and nothing else. (The worker's
//! is tried by a worker, in its own tests.)

mod support;

use eddyline_testkit::{Server, role_template};
use redis::{Connection, Value};
use support::{call, server, settled, try_call};

/// A server with the monitor `checkout`, a window of which is over, and something that is nobody's business.
fn shop() -> Server {
    let server = server();
    let mut redis = server.connection().unwrap();
    for line in [
        "EDDY.CREATE checkout SOURCES 1 metrics CLOCK stream WINDOW 1000 DIMENSIONS 1 service MEASURES 1 ms",
        "XADD metrics 5000-1 service pay ms 12",
        "XADD metrics 6000-1 service pay ms 12",
        "EDDY.CREATE other CLOCK stream DIMENSIONS 1 service",
        "SET secret 1",
    ] {
        call::<Value>(&mut redis, line);
    }
    settled(&mut redis, "checkout");
    server
}

/// A connection as the user that the document makes.
fn user(server: &Server, role: &str) -> Connection {
    let mut redis = server.connection().unwrap();
    for command in role_template(role).unwrap() {
        redis::cmd(&command[0]).arg(&command[1..]).exec(&mut redis).unwrap();
    }
    call::<()>(&mut redis, &format!("AUTH {role} secret"));
    redis
}

fn may(redis: &mut Connection, lines: &[&str]) {
    for line in lines {
        call::<Value>(redis, line);
    }
}

fn may_not(redis: &mut Connection, lines: &[&str]) {
    for line in lines {
        let refusal = try_call::<Value>(redis, line).expect_err(line);
        assert!(refusal.starts_with("NOPERM"), "{line}: {refusal}");
    }
}

/// Nobody's work here.
const NEVER: [&str; 22] = [
    "EDDY.CREATE new",
    "EDDY.CREATE checkout SOURCES 1 secret",
    "EDDY.ALTER checkout PAUSED yes",
    "EDDY.RESET checkout",
    "EDDY.CLOSE checkout 9000",
    "EDDY.READ checkout metrics 9000-0",
    "EDDY.SENT checkout 9000",
    "EDDY.RESTORE new payload",
    "EDDY.INFO other",
    "DEL checkout",
    "GET secret",
    "SET {checkout}:model x",
    "XADD {checkout}:fingerprints 99000-0 n 1",
    "XADD {checkout}:scores 99000-0 score 1",
    "XTRIM {checkout}:fingerprints MAXLEN 0",
    "RENAME checkout stolen",
    "PUBLISH eddyline:alerts hoax",
    "SUBSCRIBE secrets",
    "CONFIG SET eddyline.max-monitor-bytes 16kb",
    "FLUSHALL",
    "KEYS *",
    "ACL WHOAMI",
];

#[test]
fn a_writer_sends_events_and_nothing_else() {
    let server = shop();
    let mut writer = user(&server, "writer");
    may(
        &mut writer,
        &[
            "PING",
            "XADD metrics 7000-1 service pay ms 12",
            "EDDY.OBSERVE checkout service pay",
            "EDDY.MOBSERVE checkout 1 service pay cart",
        ],
    );
    may_not(&mut writer, &NEVER);
    may_not(
        &mut writer,
        &[
            "XADD elsewhere 7000-1 service pay",
            "EDDY.OBSERVE other service pay",
            "XRANGE metrics - +",
            "EDDY.LIST",
            "EDDY.INFO checkout",
            "EDDY.TOP checkout service",
            "XRANGE {checkout}:fingerprints - +",
            "SUBSCRIBE eddyline:alerts",
        ],
    );
}

#[test]
fn a_reader_looks_and_listens_and_changes_nothing() {
    let server = shop();
    let mut reader = user(&server, "reader");
    may(
        &mut reader,
        &[
            "EDDY.HELP",
            "EDDY.LIST",
            "EDDY.INFO checkout",
            "EDDY.SCHEMA checkout",
            "EDDY.FINGERPRINT checkout",
            "EDDY.FINGERPRINT checkout ID 6000-0",
            "EDDY.COUNT checkout service pay",
            "EDDY.TOP checkout service",
            "EDDY.QUANTILE checkout ms 0.5",
            "XRANGE {checkout}:fingerprints - +",
            "XREVRANGE {checkout}:incidents + -",
            "XREAD STREAMS {checkout}:scores 0",
            "XINFO STREAM {checkout}:fingerprints",
            "HGETALL {checkout}:schemas",
            "HGET {checkout}:schemas x",
        ],
    );
    may_not(&mut reader, &NEVER);
    may_not(
        &mut reader,
        &[
            "XADD metrics 7000-1 service pay",
            "EDDY.OBSERVE checkout service pay",
            "EDDY.MOBSERVE checkout 1 service pay",
            "EDDY.TOP other service",
            "XRANGE metrics - +",
            "SUBSCRIBE eddyline:alerts:other",
            "XGROUP CREATE {checkout}:fingerprints g 0",
            "EVAL x 0",
        ],
    );
    call::<Value>(&mut reader, "SUBSCRIBE eddyline:alerts eddyline:alerts:checkout");
}
