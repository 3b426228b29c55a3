//! What happens to sources while the timer reads a backlog of theirs: the server lives, and a replica agrees.

mod support;

use eddyline_testkit::{Server, eventually};
use redis::Connection;
use support::{SOON, call, digest, info};

fn pair() -> (Server, Server) {
    let primary = Server::with_module().tcp().start().unwrap();
    let replica = Server::with_module().replica_of(&primary).start().unwrap();
    (primary, replica)
}

fn fill(redis: &mut Connection, stream: &str, entries: u64, step_ms: u64) {
    let mut pipe = redis::pipe();
    for i in 0..entries {
        let id = format!("{}-1", 1_000_000 + i * step_ms);
        pipe.cmd("XADD").arg(stream).arg(id).arg("service").arg(format!("s{}", i % 100)).ignore();
    }
    pipe.exec(redis).unwrap();
}

#[test]
fn a_source_that_expires_while_it_is_read_hurts_nobody() {
    let (primary, replica) = pair();
    let (mut redis, mut copy) = (primary.connection().unwrap(), replica.connection().unwrap());
    let mut in_between = 0;
    for round in 0..24_u64 {
        fill(&mut redis, "metrics", 10_000, 1);
        let create = "m SOURCES 1 metrics FROM 0 CLOCK stream WINDOW 60000 DIMENSIONS 1 service";
        let mut both = redis::pipe();
        both.cmd("EDDY.CREATE").arg(create.split(' ').collect::<Vec<_>>()).ignore();
        both.cmd("PEXPIRE").arg("metrics").arg(2 + round % 12).ignore();
        both.exec(&mut redis).unwrap();
        eventually(SOON, || {
            call::<i64>(&mut redis, "EXISTS metrics") == 0 && info(&mut redis, "m", "following") == "yes"
        });
        let read: u64 = info(&mut redis, "m", "observations").parse().unwrap();
        in_between += u64::from((1..10_000).contains(&read));
        replica.catch_up_with(&primary).unwrap();
        assert_eq!(digest(&mut copy, "m"), digest(&mut redis, "m"), "round {round}, {read} read");
        call::<i64>(&mut redis, "DEL m");
    }
    assert!(in_between > 0, "the source never expired while it was read");
}

#[test]
fn what_is_trimmed_while_another_source_waits_is_told_alike() {
    let (primary, replica) = pair();
    let (mut redis, mut copy) = (primary.connection().unwrap(), replica.connection().unwrap());
    call::<()>(&mut redis, "SET {m}:fingerprints in-the-way");
    fill(&mut redis, "b", 200, 200);
    fill(&mut redis, "a", 7, 1_000_000);
    let mut both = redis::pipe();
    let create = "m SOURCES 2 a b FROM 0 CLOCK stream WINDOW 100 DIMENSIONS 1 service";
    both.atomic().cmd("EDDY.CREATE").arg(create.split(' ').collect::<Vec<_>>()).ignore();
    both.cmd("XTRIM").arg(&["a", "MAXLEN", "0"]).ignore();
    both.exec(&mut redis).unwrap();
    eventually(SOON, || info(&mut redis, "m", "waiting").parse::<u64>().unwrap() >= 62);
    replica.catch_up_with(&primary).unwrap();
    assert_eq!(info(&mut redis, "m", "left_out"), "trimmed 7");
    assert_eq!(digest(&mut copy, "m"), digest(&mut redis, "m"));
}

#[test]
fn an_empty_stream_in_the_place_of_a_source_agrees_with_its_file() {
    let args = ["--appendonly", "yes", "--aof-use-rdb-preamble", "no", "--enable-debug-command", "yes"];
    let server = Server::with_module().args(args).start().unwrap();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "XADD metrics 100-1 service pay");
    call::<()>(&mut redis, "EDDY.CREATE m SOURCES 1 metrics CLOCK stream DIMENSIONS 1 service");
    for line in ["XADD metrics 200-1 service pay", "DEL metrics", "XGROUP CREATE metrics g $ MKSTREAM", "BGREWRITEAOF"]
    {
        call::<redis::Value>(&mut redis, line);
    }
    eventually(SOON, || {
        let info: String = call(&mut redis, "INFO persistence");
        info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0")
    });
    let before = digest(&mut redis, "m");
    call::<()>(&mut redis, "DEBUG LOADAOF");
    assert_eq!(digest(&mut redis, "m"), before);
}
