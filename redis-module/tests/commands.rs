//! What commands reply, and what they refuse.

mod support;

use redis::Value;
use std::collections::BTreeMap;
use support::{call, counted, info, server, settled, try_call, windows};

#[test]
fn an_xadd_of_any_client_is_counted_and_leaves_a_fingerprint() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(
        &mut redis,
        "EDDY.CREATE checkout SOURCES 1 metrics CLOCK stream WINDOW 1000 DIMENSIONS 2 service status MEASURES 1 \
         latency_ms CROSSES 1 service*latency_ms",
    );
    for i in 0..10 {
        let id = 5000 + i * 100;
        call::<String>(&mut redis, &format!("XADD metrics {id} service pay status 200 latency_ms {}", 10 + i));
    }
    call::<String>(&mut redis, "XADD metrics 6000 service pay status 500 latency_ms 812");
    settled(&mut redis, "checkout");
    assert_eq!(windows(&mut redis, "checkout"), [(6000, 10, 0)]);

    let last: BTreeMap<String, Value> = call(&mut redis, "EDDY.FINGERPRINT checkout");
    let by_id: BTreeMap<String, Value> = call(&mut redis, "EDDY.FINGERPRINT checkout ID 6000-0");
    assert_eq!(last, by_id);
    assert_eq!(last["n"], Value::Int(10));
    assert_eq!(last["count"], Value::BulkString(b"10".to_vec()));
    assert_eq!(last["service*latency_ms[0]<16"], Value::BulkString(b"6".to_vec()));
    assert_eq!(call::<Value>(&mut redis, "EDDY.FINGERPRINT checkout ID 7000-0"), Value::Nil);

    let schema: BTreeMap<String, Value> = call(&mut redis, "EDDY.SCHEMA checkout");
    let record: BTreeMap<String, String> = call(&mut redis, "HGETALL {checkout}:schemas");
    let Value::BulkString(id) = &schema["id"] else { panic!("no id") };
    assert!(record.contains_key(std::str::from_utf8(id).unwrap()));
    let Value::Array(features) = &schema["features"] else { panic!("no features") };
    assert_eq!(features.len(), 1 + 8 + 5 + 2 * 32 + 256);
}

#[test]
fn observations_are_counted_in_the_open_window() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m WINDOW 60000 DIMENSIONS 1 service UNIQUES 1 user");
    let first: u64 = call(&mut redis, "EDDY.OBSERVE m service pay user u1");
    let second: u64 = call(&mut redis, "EDDY.MOBSERVE m 2 service user pay u2 cart u3");
    // a window may have closed in between
    assert!((first, second) == (1, 3) || (first, second) == (1, 2), "{first} {second}");
    assert_eq!(counted(&mut redis, "m"), 3);
    assert_eq!(call::<Vec<String>>(&mut redis, "EDDY.LIST"), ["m"]);
    assert!(call::<Vec<String>>(&mut redis, "EDDY.HELP").contains(&"EDDY.SCHEMA key".to_owned()));
}

#[test]
fn every_mistake_is_a_clear_error_and_changes_nothing() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "SET text hello");
    call::<()>(&mut redis, "EDDY.CREATE m CLOCK stream WINDOW 1000 DIMENSIONS 1 service");
    let before = support::digest(&mut redis, "m");
    let long = format!("EDDY.CREATE {}", "x".repeat(1025));
    let cases = [
        ("EDDY.CREATE", "wrong number of arguments for"),
        ("EDDY.OBSERVE m service", "wrong number of arguments for"),
        ("EDDY.CREATE n WINDOWS 5", "unknown option 'WINDOWS'. Options are: SOURCES"),
        ("EDDY.CREATE n WINDOW soon", "WINDOW must be 100 to 86400000 ms, got 'soon'"),
        ("EDDY.CREATE n MEMORY 20000 DIMENSIONS 1 a", "MEMORY 20000 is too small: these fields take at least"),
        (&long, "a monitor's name is 1 to 1024 bytes"),
        ("EDDY.CREATE {n}", "braces in a monitor's name must be one non-empty {tag} plus more text"),
        ("EDDY.CREATE m", "monitor 'm' exists already: NX leaves it as it is, DEL removes it"),
        ("EDDY.CREATE n SOURCES 1 text", "source 'text' holds something that isn't a stream"),
        ("EDDY.CREATE text", "Operation against a key holding the wrong kind of value"),
        ("EDDY.OBSERVE text service pay", "Operation against a key holding the wrong kind of value"),
        ("EDDY.INFO text", "Operation against a key holding the wrong kind of value"),
        ("EDDY.OBSERVE nobody service pay", "no such monitor: EDDY.CREATE makes one, EDDY.LIST shows them"),
        ("EDDY.OBSERVE m service pay", "no window is open: with CLOCK stream"),
        ("EDDY.MOBSERVE m 2 a b 1 2 3", "3 values don't fill observations of 2 fields: nothing was counted"),
        ("EDDY.FINGERPRINT m ID x", "ID must be the id of a fingerprint"),
        ("EDDY.CLOSE m yesterday", "end-ms must be milliseconds since the epoch, got 'yesterday'"),
        ("EDDY.READ m metrics 0-0", "the monitor has no source 'metrics'"),
        ("EDDY.ALTER m WINDOW 5", "WINDOW can't be altered, new fingerprints would mean something else"),
        ("EDDY.RESTORE n garbage", "the monitor"),
        ("EDDY.CREATE n 一", "unknown option '\\xe4\\xb8\\x80'"),
        ("EDDY.SENT m 5000 MAYBE", "unknown option 'MAYBE'. Options are: LOST"),
    ];
    for (line, expected) in cases {
        let error = try_call::<Value>(&mut redis, line).expect_err(line);
        assert!(error.contains(expected), "{line}: {error}");
    }
    assert_eq!(support::digest(&mut redis, "m"), before);
    assert_eq!(call::<Vec<String>>(&mut redis, "EDDY.LIST"), ["m"]);
    assert_eq!(call::<Value>(&mut redis, "EDDY.CREATE m NX"), Value::Nil);
}

#[test]
fn what_is_left_out_is_told_by_reason_and_the_clients_xadd_is_never_refused() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(
        &mut redis,
        "EDDY.CREATE m SOURCES 2 a b CLOCK stream WINDOW 1000 DIMENSIONS 1 service MEASURES 1 latency_ms",
    );
    let long = "x".repeat(2000);
    for (stream, id, fields) in [
        ("a", "5000-1", "service pay latency_ms fast"),
        ("a", "5000-2", &format!("service {long} latency_ms 3")[..]),
        ("a", "5000-3", "nothing known"),
        ("a", "7000-1", "service pay latency_ms 3"),
        ("b", "6000-1", "service late latency_ms 3"),
        ("a", "281474976710657-1", "service far latency_ms 3"),
    ] {
        call::<String>(&mut redis, &format!("XADD {stream} {id} {fields}"));
    }
    let left_out = info(&mut redis, "m", "left_out");
    assert_eq!(left_out, "late 1 latency_ms:unreadable 1 out-of-time 1 service:too-long 1 skipped 1");
    call::<()>(&mut redis, "DEL a");
    call::<()>(&mut redis, "SET a text");
    assert!(try_call::<String>(&mut redis, "XADD a * service pay").is_err(), "the server's own word");
    assert!(info(&mut redis, "m", "sources").contains("a not a stream: nothing is read"));
    call::<String>(&mut redis, "XADD b 7500-1 service pay");
    assert_eq!(info(&mut redis, "m", "open_observations"), "2");
}

#[test]
fn dryrun_tells_the_memory_and_makes_nothing() {
    let server = server();
    let mut redis = server.connection().unwrap();
    let sizes: BTreeMap<String, u64> = call(&mut redis, "EDDY.CREATE m DIMENSIONS 2 service status DRYRUN");
    assert_eq!(sizes["features"], 1 + 8 + 64);
    assert!(sizes["monitor_bytes"] > 50_000 && sizes["fingerprints_bytes"] > 1_000_000, "{sizes:?}");
    assert!(call::<Vec<String>>(&mut redis, "EDDY.LIST").is_empty());
}

#[test]
fn names_with_format_characters_reach_the_log_as_they_are() {
    let server = server();
    let mut redis = server.connection().unwrap();
    let name = "%s%s%s%n%n\x01é";
    call::<()>(&mut redis, &format!("EDDY.CREATE {name} CLOCK stream WINDOW 1000 DIMENSIONS 1 s"));
    call::<()>(&mut redis, "CONFIG SET maxmemory 1");
    call::<i64>(&mut redis, &format!("EDDY.CLOSE {name} 5000"));
    call::<i64>(&mut redis, &format!("EDDY.OBSERVE {name} s x"));
    call::<i64>(&mut redis, &format!("EDDY.CLOSE {name} 6000"));
    eddyline_testkit::eventually(support::SOON, || {
        server.log().contains("fingerprints of %s%s%s%n%n\\x01\\xc3\\xa9 wait, they can't be written")
    });
}

#[test]
fn access_control_covers_the_sources() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<String>(&mut redis, "XADD secret * service top");
    call::<()>(&mut redis, "ACL SETUSER ann on nopass ~m* ~{m* +@all");
    call::<()>(&mut redis, "EDDY.CREATE m CLOCK stream WINDOW 1000 DIMENSIONS 1 service");
    call::<()>(&mut redis, "AUTH ann x");
    assert!(try_call::<Value>(&mut redis, "EDDY.CREATE mm SOURCES 1 secret FROM 0").unwrap_err().contains("key"));
    assert!(try_call::<Value>(&mut redis, "EDDY.CREATE mm SOURCES 1 mine FROM 0").is_ok());
}

#[test]
fn grammar_and_monitor_have_the_same_limits() {
    use eddyline_monitor as monitor;
    use eddyline_wire::{command, fingerprint, keys};
    assert_eq!(command::create::MAX_FIELDS, monitor::MAX_FIELDS);
    assert_eq!(command::create::MAX_UNIQUES, monitor::MAX_UNIQUES);
    assert_eq!(command::create::MAX_SOURCES, monitor::MAX_SOURCES);
    assert_eq!(command::close::MAX_MS, monitor::MAX_MS);
    assert_eq!(fingerprint::MAX_FEATURES, monitor::MAX_FEATURES);
    assert_eq!(keys::MAX_NAME, monitor::MAX_NAME);
}
