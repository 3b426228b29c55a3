//! The timer, gaps, backlogs: whose windows close when, on a real server.

mod support;

use eddyline_testkit::{Server, eventually};
use std::time::Duration;
use support::{SOON, call, counted, info, server, settled, windows};

/// Whether nothing lies between two windows but what the later one's gap says.
fn follow_each_other(closed: &[(u64, u64, u64)], window_ms: u64) -> bool {
    closed.windows(2).all(|pair| pair[1].0 == pair[0].0 + window_ms + pair[1].2 / window_ms * window_ms)
}

#[test]
fn the_timer_closes_windows_even_when_nothing_comes() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m SOURCES 1 metrics WINDOW 100 DIMENSIONS 1 service");
    call::<String>(&mut redis, "XADD metrics * service pay");
    eventually(SOON, || windows(&mut redis, "m").len() >= 8);
    let closed = windows(&mut redis, "m");
    assert!(follow_each_other(&closed, 100), "{closed:?}");
    assert_eq!(closed.iter().map(|(_, n, _)| n).sum::<u64>(), 1);
}

#[test]
fn time_without_the_server_is_a_gap_not_a_row_of_empty_windows() {
    let mut server = Server::with_module().args(["--appendonly", "yes", "--appendfsync", "always"]).start().unwrap();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m WINDOW 200 DIMENSIONS 1 service");
    eventually(SOON, || windows(&mut redis, "m").len() >= 3);
    let before = windows(&mut redis, "m");
    server.kill().unwrap();
    std::thread::sleep(Duration::from_millis(4000));
    server.start().unwrap();
    let mut redis = server.connection().unwrap();
    eventually(SOON, || windows(&mut redis, "m").len() >= before.len() + 4);
    let after = windows(&mut redis, "m");
    assert_eq!(after[..before.len()], before);
    let gap: u64 = after[before.len()..].iter().map(|(_, _, gap)| gap).sum();
    assert!((3600..60_000).contains(&gap), "{after:?}");
    assert!(follow_each_other(&after, 200), "{after:?}");
}

#[test]
fn a_backlog_is_read_in_order_of_time_across_sources() {
    let server = server();
    let mut redis = server.connection().unwrap();
    let mut pipe = redis::pipe();
    for i in 0..6000_u64 {
        let stream = ["a", "b", "c"][i as usize % 3];
        pipe.cmd("XADD").arg(stream).arg(format!("{}-1", 10_000 + i * 10)).arg("service").arg("pay").ignore();
    }
    pipe.exec(&mut redis).unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m SOURCES 3 a b c FROM 0 CLOCK stream WINDOW 1000 DIMENSIONS 1 service");
    // comes while the backlog is being read
    call::<String>(&mut redis, "XADD b 70001-1 service pay");
    settled(&mut redis, "m");
    let closed = windows(&mut redis, "m");
    assert_eq!(closed.len(), 60);
    assert!(closed.iter().all(|(_, n, gap)| (*n, *gap) == (100, 0)), "{closed:?}");
    assert_eq!(info(&mut redis, "m", "left_out"), "");
    assert_eq!(counted(&mut redis, "m"), 6001);
}

#[test]
fn several_monitors_read_one_source_each_in_its_own_windows() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE one SOURCES 1 metrics CLOCK stream WINDOW 1000 DIMENSIONS 1 service");
    call::<()>(&mut redis, "EDDY.CREATE two SOURCES 1 metrics CLOCK stream WINDOW 2000 DIMENSIONS 1 service");
    for i in 0..100 {
        call::<String>(&mut redis, &format!("XADD metrics MAXLEN 0 {} service pay", 10_000 + i * 100));
    }
    settled(&mut redis, "one");
    settled(&mut redis, "two");
    assert_eq!(windows(&mut redis, "one").len(), 9);
    assert_eq!(windows(&mut redis, "two").len(), 4);
    assert_eq!((counted(&mut redis, "one"), counted(&mut redis, "two")), (100, 100));
}

#[test]
fn a_source_that_comes_again_or_from_elsewhere_loses_nothing_and_counts_nothing_twice() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m SOURCES 1 metrics CLOCK stream WINDOW 1000 DIMENSIONS 1 service");
    call::<String>(&mut redis, "XADD metrics 10000-5 service pay");
    call::<()>(&mut redis, "DEL metrics");
    call::<String>(&mut redis, "XADD metrics 10000-1 service pay");
    assert_eq!(counted(&mut redis, "m"), 2);
    for id in ["10100-1", "10200-1"] {
        call::<String>(&mut redis, &format!("XADD other {id} service pay"));
    }
    call::<()>(&mut redis, "RENAME other metrics");
    settled(&mut redis, "m");
    assert_eq!(counted(&mut redis, "m"), 4);
    call::<()>(&mut redis, "RENAME m n");
    call::<String>(&mut redis, "XADD metrics 10300-1 service pay");
    settled(&mut redis, "n");
    assert_eq!(counted(&mut redis, "n"), 5);
    assert_eq!(call::<Vec<String>>(&mut redis, "EDDY.LIST"), ["n"]);
}

#[test]
fn another_databases_stream_of_the_same_name_is_not_read() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m SOURCES 1 metrics CLOCK stream WINDOW 1000 DIMENSIONS 1 service");
    call::<()>(&mut redis, "SELECT 1");
    call::<String>(&mut redis, "XADD metrics 10000-1 service pay");
    assert!(call::<Vec<String>>(&mut redis, "EDDY.LIST").is_empty());
    call::<()>(&mut redis, "SWAPDB 0 1");
    call::<String>(&mut redis, "XADD metrics 10001-1 service pay");
    assert_eq!(counted(&mut redis, "m"), 1);
}

#[test]
fn a_paused_server_keeps_its_windows_and_lives() {
    let server = Server::with_module().args(["--appendonly", "yes"]).start().unwrap();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m WINDOW 100 DIMENSIONS 1 service");
    eventually(SOON, || windows(&mut redis, "m").len() >= 2);
    call::<()>(&mut redis, "CLIENT PAUSE 1500 WRITE");
    let paused = windows(&mut redis, "m").len();
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(windows(&mut redis, "m").len(), paused, "nothing is written while paused");
    eventually(SOON, || windows(&mut redis, "m").len() >= paused + 3);
}

#[test]
fn out_of_memory_leaves_windows_waiting_and_counts_on() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m CLOCK stream WINDOW 1000 DIMENSIONS 1 service");
    call::<i64>(&mut redis, "EDDY.CLOSE m 5000");
    call::<()>(&mut redis, "CONFIG SET maxmemory 1");
    call::<i64>(&mut redis, "EDDY.OBSERVE m service pay");
    call::<i64>(&mut redis, "EDDY.CLOSE m 6000");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!((info(&mut redis, "m", "waiting").as_str(), windows(&mut redis, "m").len()), ("1", 0));
    assert!(server.log().contains("fingerprints of m wait, they can't be written"));
    call::<()>(&mut redis, "CONFIG SET maxmemory 0");
    settled(&mut redis, "m");
    assert_eq!(windows(&mut redis, "m"), [(6000, 1, 0)]);
}

#[test]
fn after_a_backfill_the_servers_clock_takes_over_with_a_gap() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m SOURCES 1 metrics CLOCK stream WINDOW 100 DIMENSIONS 1 service");
    call::<String>(&mut redis, "XADD metrics 1000000 service pay");
    call::<String>(&mut redis, "XADD metrics 1000300 service pay");
    call::<()>(&mut redis, "EDDY.ALTER m CLOCK server");
    eventually(SOON, || windows(&mut redis, "m").len() >= 6);
    let closed = windows(&mut redis, "m");
    assert_eq!(closed[..4], [(1_000_100, 1, 0), (1_000_200, 0, 0), (1_000_300, 0, 0), (1_000_400, 1, 0)]);
    assert!(closed[4].2 > 1_000_000_000, "the time between the backfill and now is unknown: {closed:?}");
}

#[test]
fn a_window_that_a_crash_cut_in_two_is_marked_as_partial() {
    let mut server = Server::with_module().args(["--appendonly", "yes", "--appendfsync", "always"]).start().unwrap();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m WINDOW 2000 DIMENSIONS 1 service");
    eventually(SOON, || windows(&mut redis, "m").len() >= 2);
    call::<i64>(&mut redis, "EDDY.OBSERVE m service pay");
    server.kill().unwrap();
    std::thread::sleep(Duration::from_millis(5000));
    server.start().unwrap();
    let mut redis = server.connection().unwrap();
    eventually(SOON, || windows(&mut redis, "m").len() >= 5);
    let partial: Vec<bool> = support::fingerprints(&mut redis, "m")
        .iter()
        .map(|(_, fields)| fields.iter().any(|(name, value)| name == "partial" && value == b"1"))
        .collect();
    assert_eq!(partial[..5], [true, false, true, true, false], "the first, the cut one, the one resumed in");
}

#[test]
fn an_observation_is_refused_while_a_backlog_is_read() {
    let server = server();
    let mut redis = server.connection().unwrap();
    let mut pipe = redis::pipe();
    for i in 0..60_000_u64 {
        pipe.cmd("XADD").arg("a").arg(format!("{}-1", 10_000 + i)).arg("service").arg("pay").ignore();
    }
    pipe.exec(&mut redis).unwrap();
    let mut both = redis::pipe();
    both.cmd("EDDY.CREATE").arg(&[
        "m",
        "SOURCES",
        "1",
        "a",
        "FROM",
        "0",
        "WINDOW",
        "1000",
        "DIMENSIONS",
        "1",
        "service",
    ]);
    both.cmd("EDDY.OBSERVE").arg(&["m", "service", "pay"]);
    let error = both.query::<(String, i64)>(&mut redis).unwrap_err().to_string();
    assert!(error.contains("still reads what its sources had before, nothing was counted"), "{error}");
    settled(&mut redis, "m");
    call::<i64>(&mut redis, "EDDY.OBSERVE m service pay");
    settled(&mut redis, "m");
    assert_eq!(counted(&mut redis, "m"), 60_001);
}

#[test]
fn a_stuck_outbox_stays_quiet() {
    let server = Server::with_module().args(["--appendonly", "yes"]).start().unwrap();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m SOURCES 1 a CLOCK stream WINDOW 1000 DIMENSIONS 1 service");
    call::<()>(&mut redis, "RENAME m {m}");
    for i in 0..100 {
        call::<String>(&mut redis, &format!("XADD a {}-1 service pay", 10_000 + i * 1000));
    }
    std::thread::sleep(Duration::from_millis(300));
    let offset = |redis: &mut redis::Connection| -> u64 {
        let info: String = call(redis, "INFO persistence");
        info.lines().find_map(|line| line.strip_prefix("aof_current_size:")).unwrap().parse().unwrap()
    };
    let before = offset(&mut redis);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(offset(&mut redis), before, "nothing changes, so the log says nothing");
    assert!(server.log().contains("fingerprints of {m} wait, they can't be written: braces in a monitor's name"));
    call::<()>(&mut redis, "RENAME {m} m");
    settled(&mut redis, "m");
    assert_eq!((windows(&mut redis, "m").len(), counted(&mut redis, "m")), (99, 100));
}

#[test]
fn every_one_of_many_monitors_is_looked_after() {
    let server = server();
    let mut redis = server.connection().unwrap();
    let mut pipe = redis::pipe();
    for i in 0..1000 {
        pipe.cmd("EDDY.CREATE")
            .arg(&[&format!("m{i}"), "WINDOW", "2000", "MEMORY", "400000", "DIMENSIONS", "1", "service"])
            .ignore();
    }
    pipe.exec(&mut redis).unwrap();
    eventually(Duration::from_secs(60), || {
        (0..1000).step_by(50).all(|i| windows(&mut redis, &format!("m{i}")).len() >= 4)
    });
    for i in (0..1000).step_by(50) {
        let closed = windows(&mut redis, &format!("m{i}"));
        assert!(closed[1..].iter().all(|(_, _, gap)| *gap == 0), "m{i}: {closed:?}");
    }
}

#[test]
fn windows_of_a_monitor_made_anew_over_old_fingerprints_are_counted_as_dropped() {
    let server = server();
    let mut redis = server.connection().unwrap();
    let create = "EDDY.CREATE m SOURCES 1 a FROM 0 CLOCK stream DIMENSIONS 1 service WINDOW";
    call::<()>(&mut redis, &format!("{create} 1000"));
    for i in 0..6 {
        call::<String>(&mut redis, &format!("XADD a {}-1 service pay", 10_000 + i * 1000));
    }
    settled(&mut redis, "m");
    call::<()>(&mut redis, "DEL m");
    call::<()>(&mut redis, &format!("{create} 2000"));
    settled(&mut redis, "m");
    assert_eq!(info(&mut redis, "m", "left_out"), "dropped-windows 2");
    call::<String>(&mut redis, "XADD a 16000-1 service pay");
    settled(&mut redis, "m");
    assert_eq!(windows(&mut redis, "m").last(), Some(&(16_000, 2, 4000)));
}
