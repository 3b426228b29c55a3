//! The commands that ask after items and measures, and those that change a monitor.

mod support;

use eddyline_testkit::eventually;
use redis::{Connection, Value};
use support::{SOON, call, counted, info, server, settled, try_call, windows};

const CREATE: &str = "EDDY.CREATE m CLOCK stream WINDOW 1000 DIMENSIONS 2 service status \
                      CROSSES 2 service*status service*latency_ms MEASURES 1 latency_ms";

/// A monitor that counted `pay` three times in its last window and once in the open one.
fn counting(redis: &mut Connection) {
    call::<()>(redis, CREATE);
    call::<i64>(redis, "EDDY.CLOSE m 5000");
    for status in [200, 200, 500] {
        call::<i64>(redis, &format!("EDDY.OBSERVE m service pay status {status} latency_ms {status}"));
    }
    call::<i64>(redis, "EDDY.CLOSE m 6000");
    call::<i64>(redis, "EDDY.OBSERVE m service pay status 404 latency_ms 1");
}

#[test]
fn counts_are_told_of_the_open_window_the_last_one_and_the_long_run() {
    let server = server();
    let mut redis = server.connection().unwrap();
    counting(&mut redis);
    let counts: Vec<(u32, u32, f64)> = call(&mut redis, "EDDY.COUNT m service pay cart");
    assert_eq!(counts, [(1, 3, 3.0), (0, 0, 0.0)]);
    let counts: Vec<(u32, u32, f64)> = call(&mut redis, "EDDY.COUNT m service*status pay*200 pay*404");
    assert_eq!(counts, [(0, 2, 2.0), (1, 0, 0.0)]);
    let error = try_call::<Value>(&mut redis, "EDDY.COUNT m region eu").unwrap_err();
    assert_eq!(error, "ERR the monitor has no dimension 'region', it has: service, status, service*status");
    let error = try_call::<Value>(&mut redis, "EDDY.COUNT none service pay").unwrap_err();
    assert_eq!(error, "ERR no such monitor: EDDY.CREATE makes one, EDDY.LIST shows them");
}

#[test]
fn heavy_items_are_told_largest_first() {
    let server = server();
    let mut redis = server.connection().unwrap();
    counting(&mut redis);
    type Heavy = Vec<(String, u64)>;
    let (last, heavy, open, one): (String, Heavy, String, Heavy) = call(&mut redis, "EDDY.TOP m status");
    assert_eq!((last.as_str(), open.as_str()), ("last", "open"));
    assert_eq!(heavy, [("200".to_owned(), 2), ("500".to_owned(), 1)]);
    assert_eq!(one, [("404".to_owned(), 1)]);
    let (_, heavy, _, _): (String, Heavy, String, Heavy) = call(&mut redis, "EDDY.TOP m status 1");
    assert_eq!(heavy.len(), 1);
}

#[test]
fn quantiles_are_those_of_the_last_window() {
    let server = server();
    let mut redis = server.connection().unwrap();
    counting(&mut redis);
    let values: Vec<f64> = call(&mut redis, "EDDY.QUANTILE m latency_ms 0 0.5 1");
    assert!((values[0], values[2]) == (200.0, 500.0) && (198.0..=202.0).contains(&values[1]), "{values:?}");
    call::<i64>(&mut redis, "EDDY.CLOSE m 7000");
    call::<i64>(&mut redis, "EDDY.CLOSE m 8000");
    assert_eq!(call::<Vec<Option<f64>>>(&mut redis, "EDDY.QUANTILE m latency_ms 0.5"), [None]);
}

#[test]
fn while_its_fields_are_learned_a_monitor_says_so() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m");
    call::<i64>(&mut redis, "EDDY.OBSERVE m service pay");
    for command in ["EDDY.COUNT m service pay", "EDDY.TOP m service", "EDDY.QUANTILE m latency_ms 0.5"] {
        let error = try_call::<Value>(&mut redis, command).unwrap_err();
        let said = "ERR the monitor is still learning its fields, after 1 of 1000 observations: EDDY.INFO tells when it counts";
        assert_eq!(error, said, "{command}");
    }
}

#[test]
fn a_paused_monitor_takes_observations_without_counting_them() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m SOURCES 1 metrics WINDOW 100 DIMENSIONS 1 service");
    eventually(SOON, || windows(&mut redis, "m").len() >= 3);
    call::<()>(&mut redis, "EDDY.ALTER m PAUSED yes");
    settled(&mut redis, "m");
    let before = windows(&mut redis, "m");
    call::<i64>(&mut redis, "EDDY.OBSERVE m service pay");
    call::<String>(&mut redis, "XADD metrics * service pay");
    std::thread::sleep(std::time::Duration::from_millis(400));
    assert_eq!(windows(&mut redis, "m"), before, "no time passes");
    assert_eq!(info(&mut redis, "m", "left_out"), "paused 2");
    assert_eq!(info(&mut redis, "m", "paused"), "yes");
    call::<()>(&mut redis, "EDDY.ALTER m PAUSED no");
    eventually(SOON, || windows(&mut redis, "m").len() >= before.len() + 3);
    let after = windows(&mut redis, "m");
    let gap: u64 = after[before.len()..].iter().map(|(_, _, gap)| gap).sum();
    assert!(gap >= 300, "{after:?}");
    assert_eq!(counted(&mut redis, "m"), 0);
}

#[test]
fn sources_and_retention_can_be_altered() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m SOURCES 1 a CLOCK stream WINDOW 1000 DIMENSIONS 1 service");
    call::<String>(&mut redis, "XADD a 10000-1 service pay");
    call::<String>(&mut redis, "XADD b 10100-1 service pay");
    call::<()>(&mut redis, "EDDY.ALTER m SOURCES 2 a b FROM 0 RETENTION 100");
    settled(&mut redis, "m");
    assert_eq!((counted(&mut redis, "m"), info(&mut redis, "m", "retention").as_str()), (2, "100"));
    call::<String>(&mut redis, "XADD b 10200-1 service pay");
    call::<()>(&mut redis, "EDDY.ALTER m SOURCES 1 b");
    call::<String>(&mut redis, "XADD a 10300-1 service pay");
    call::<String>(&mut redis, "XADD b 10400-1 service pay");
    settled(&mut redis, "m");
    assert_eq!(counted(&mut redis, "m"), 4);
    let error = try_call::<Value>(&mut redis, "EDDY.ALTER m WINDOW 5000").unwrap_err();
    assert!(error.starts_with("ERR WINDOW can't be altered"), "{error}");
}

#[test]
fn a_reset_monitor_starts_over_where_it_is() {
    let server = server();
    let mut redis = server.connection().unwrap();
    counting(&mut redis);
    call::<()>(&mut redis, "EDDY.RESET m");
    let counts: Vec<(u32, u32, f64)> = call(&mut redis, "EDDY.COUNT m service pay");
    assert_eq!(counts, [(0, 0, 0.0)]);
    settled(&mut redis, "m");
    assert_eq!(windows(&mut redis, "m"), [(6000, 3, 0)]);
    call::<i64>(&mut redis, "EDDY.CLOSE m 7000");
    settled(&mut redis, "m");
    assert_eq!(windows(&mut redis, "m").last(), Some(&(6000, 3, 0)), "an empty part of a window says nothing");
}

#[test]
fn hashed_items_are_the_same_on_a_replica_and_told_nowhere() {
    let primary = eddyline_testkit::Server::with_module().tcp().start().unwrap();
    let replica = eddyline_testkit::Server::with_module().replica_of(&primary).start().unwrap();
    let mut redis = primary.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m CLOCK stream WINDOW 1000 DIMENSIONS 1 user HASHED 1 user");
    call::<()>(&mut redis, "EDDY.CREATE n CLOCK stream WINDOW 1000 DIMENSIONS 1 user HASHED 1 user");
    for monitor in ["m", "n"] {
        call::<i64>(&mut redis, &format!("EDDY.CLOSE {monitor} 5000"));
        call::<i64>(&mut redis, &format!("EDDY.OBSERVE {monitor} user ann@example.org"));
        let counts: Vec<(u32, u32, f64)> = call(&mut redis, &format!("EDDY.COUNT {monitor} user ann@example.org"));
        assert_eq!(counts[0].0, 1);
    }
    let top = |redis: &mut Connection, monitor: &str| {
        format!("{:?}", call::<Value>(redis, &format!("EDDY.TOP {monitor} user")))
    };
    assert!(!top(&mut redis, "m").contains("ann"));
    assert_ne!(top(&mut redis, "m"), top(&mut redis, "n"), "each monitor has its own key");
    let mut copy = replica.connection().unwrap();
    let digest = support::digest(&mut redis, "m");
    eventually(SOON, || support::digest(&mut copy, "m") == digest);
    let error = try_call::<Value>(&mut redis, "EDDY.CREATE x MEASURES 1 ms HASHED 1 ms").unwrap_err();
    assert_eq!(error, "ERR measure 'ms' can't be HASHED: its numbers are needed");
}

#[test]
fn a_dry_run_tells_what_a_monitor_would_take() {
    let server = server();
    let mut redis = server.connection().unwrap();
    let map =
        |redis: &mut Connection, line: &str| -> std::collections::BTreeMap<String, Option<u64>> { call(redis, line) };
    let promised =
        map(&mut redis, "EDDY.CREATE m DIMENSIONS 3 a b c MEASURES 1 d_ms UNIQUES 1 e CROSSES 1 a*d_ms DRYRUN");
    assert!(promised["monitor_bytes"] < promised["monitor_bytes_at_most"], "{promised:?}");
    assert!(promised["monitor_bytes_at_most"] <= Some(1 << 20));
    assert_eq!(call::<i64>(&mut redis, "EXISTS m"), 0);
    assert_eq!(map(&mut redis, "EDDY.CREATE m DRYRUN")["monitor_bytes"], None, "what is inferred isn't known");
}
