//! A sketch is the same in every copy: replica, file, dump.

use super::{dump, restore, support};
use eddyline_testkit::{Server, Setup, eventually};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use redis::{Connection, Value};
use std::collections::BTreeMap;
use std::fs;
use support::{SOON, call, digest, server, try_call};

const KEYS: [&str; 4] = ["a", "b", "c", "d"];

/// Commands as clients send them, refused ones among them.
fn act(redis: &mut Connection, rng: &mut StdRng, times: usize) {
    for _ in 0..times {
        let mut key = || KEYS[rng.random_range(0..KEYS.len())];
        let (key, other, third) = (key(), key(), key());
        let line = match rng.random_range(0..100) {
            0..5 => format!("CMS.INITBYDIM {key} {} {}", rng.random_range(9..12), rng.random_range(1..3)),
            5..10 => format!("CMS.INITBYPROB {key} 0.2 0.5"),
            10..70 => {
                let n = if rng.random_bool(0.02) { i64::MAX } else { rng.random_range(-1..1000) };
                format!("CMS.INCRBY {key} {} {} x {n}", rng.random_range(0..50), rng.random_range(0..9))
            }
            70..80 => format!("CMS.MERGE {key} 2 {other} {third} WEIGHTS {} 1", rng.random_range(-1..3)),
            80..90 => format!("COPY {key} {other} REPLACE"),
            90..94 => format!("RENAME {key} {other}"),
            94..97 => format!("UNLINK {key}"),
            _ => format!("CMS.QUERY {key} x"),
        };
        let _ = try_call::<Value>(redis, &line);
    }
    for (width, key) in (10..).zip(KEYS) {
        let _ = try_call::<Value>(redis, &format!("CMS.INITBYDIM {key} {width} 3"));
        let _ = try_call::<Value>(redis, &format!("CMS.INCRBY {key} x 5 y 70000"));
    }
}

/// Digest and reply by key.
fn state(redis: &mut Connection) -> BTreeMap<&'static str, (String, String)> {
    let state = |key| (digest(redis, key), format!("{:?}", call::<Value>(redis, &format!("CMS.INFO {key}"))));
    KEYS.map(state).into_iter().zip(KEYS).map(|(state, key)| (key, state)).collect()
}

fn assert_survives_restart(setup: Setup, before_end: impl FnOnce(&mut Connection)) {
    let mut server = setup.start().unwrap();
    let mut redis = server.connection().unwrap();
    act(&mut redis, &mut StdRng::seed_from_u64(3), 400);
    before_end(&mut redis);
    let before = state(&mut redis);
    server.restart().unwrap();
    assert_eq!(state(&mut server.connection().unwrap()), before);
}

fn rewritten(redis: &mut Connection) {
    // What is rewritten is in the file's base; what comes after it is behind it.
    eventually(SOON, || call::<String>(redis, "INFO persistence").contains("aof_rewrite_in_progress:0"));
    call::<String>(redis, "BGREWRITEAOF");
    eventually(SOON, || {
        let info: String = call(redis, "INFO persistence");
        info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0")
    });
    assert!(call::<String>(redis, "INFO persistence").contains("aof_last_bgrewrite_status:ok"));
    act(redis, &mut StdRng::seed_from_u64(4), 50);
}

#[test]
fn an_append_only_file_brings_sketches_back() {
    assert_survives_restart(Server::with_module().args(["--appendonly", "yes"]), |_| ());
}

#[test]
fn a_rewritten_file_brings_them_back_with_and_without_preamble() {
    for preamble in ["yes", "no"] {
        let args = ["--appendonly", "yes", "--aof-use-rdb-preamble", preamble];
        assert_survives_restart(Server::with_module().args(args), rewritten);
    }
}

#[test]
fn the_limit_for_clients_isnt_one_for_what_a_primary_once_accepted() {
    let mut server = Server::with_module().args(["--appendonly", "yes"]).start().unwrap();
    server.shutdown().unwrap();
    fs::remove_dir_all(server.data_dir().join("appendonlydir")).unwrap();
    // Just over a gibibyte, of which only the pages in use are taken.
    let words = ["CMS.INITBYDIM", "big", "268435457", "1"].map(|word| format!("${}\r\n{word}\r\n", word.len()));
    fs::write(server.data_dir().join("appendonly.aof"), format!("*4\r\n{}", words.concat())).unwrap();
    server.start().unwrap();
    let mut redis = server.connection().unwrap();
    assert!(call::<Vec<Value>>(&mut redis, "CMS.INFO big").contains(&Value::Int(268_435_457)));
}

#[test]
fn a_reload_and_a_dump_give_the_same_sketches() {
    let server = server();
    let mut redis = server.connection().unwrap();
    act(&mut redis, &mut StdRng::seed_from_u64(5), 400);
    let before = state(&mut redis);
    call::<()>(&mut redis, "DEBUG RELOAD");
    assert_eq!(state(&mut redis), before);
    for key in KEYS {
        let payload = dump(&mut redis, key);
        call::<()>(&mut redis, &format!("CMS.INCRBY {key} z 1"));
        assert_ne!(digest(&mut redis, key), before[key].0);
        restore(&mut redis, key, &payload).unwrap();
    }
    assert_eq!(state(&mut redis), before);
}

#[test]
fn a_replica_agrees_after_full_and_incremental_sync() {
    let primary = Server::with_module().tcp().start().unwrap();
    let mut redis = primary.connection().unwrap();
    act(&mut redis, &mut StdRng::seed_from_u64(6), 200);
    let replica = Server::with_module().replica_of(&primary).start().unwrap();
    let mut copy = replica.connection().unwrap();
    eventually(SOON, || call::<String>(&mut copy, "INFO replication").contains("master_link_status:up"));
    act(&mut redis, &mut StdRng::seed_from_u64(8), 400);
    call::<i64>(&mut redis, "WAIT 1 0");
    assert_eq!(state(&mut copy), state(&mut redis));
}

#[test]
fn a_copy_goes_its_own_way() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "CMS.INITBYDIM a 10 2");
    call::<()>(&mut redis, "CMS.INCRBY a x 5");
    assert_eq!(call::<i64>(&mut redis, "COPY a b"), 1);
    assert_eq!(digest(&mut redis, "a"), digest(&mut redis, "b"));
    call::<()>(&mut redis, "CMS.INCRBY b x 1");
    assert_eq!(call::<Vec<i64>>(&mut redis, "CMS.QUERY a x"), [5]);
    assert_eq!(call::<Vec<i64>>(&mut redis, "CMS.QUERY b x"), [6]);
}

#[test]
fn a_large_sketch_is_freed_in_the_background() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "CMS.INITBYDIM large 1000000 4");
    call::<()>(&mut redis, "CMS.INITBYDIM small 100 4");
    let freed = |redis: &mut Connection| {
        let info: String = call(redis, "INFO memory");
        let line = info.lines().find_map(|line| line.strip_prefix("lazyfreed_objects:")).expect("a counter");
        line.trim().parse::<u64>().expect("a number")
    };
    call::<()>(&mut redis, "UNLINK small");
    assert_eq!(freed(&mut redis), 0);
    call::<()>(&mut redis, "UNLINK large");
    eventually(SOON, || freed(&mut redis) == 1);
}

#[test]
fn a_failed_command_isnt_replicated_and_a_watched_key_is_seen_to_change() {
    let server = server();
    let (mut redis, mut other) = (server.connection().unwrap(), server.connection().unwrap());
    call::<()>(&mut redis, "CMS.INITBYDIM k 10 2");
    call::<()>(&mut redis, "CMS.INITBYDIM source 10 2");
    let dirty = |redis: &mut Connection| {
        let info: String = call(redis, "INFO persistence");
        info.lines().find(|line| line.starts_with("rdb_changes_since_last_save")).map(str::to_owned)
    };
    let before = dirty(&mut redis);
    for line in ["CMS.INCRBY k a x", "CMS.INCRBY k a 1 b -1", "CMS.MERGE k 1 k WEIGHTS x", "CMS.INITBYDIM k 1 1"] {
        assert!(try_call::<Value>(&mut redis, line).is_err(), "{line}");
    }
    call::<Value>(&mut redis, "CMS.QUERY k a");
    assert_eq!(dirty(&mut redis), before);
    for change in ["CMS.INCRBY k a 1", "CMS.MERGE k 1 source"] {
        call::<()>(&mut redis, "WATCH k");
        call::<Value>(&mut other, change);
        call::<()>(&mut redis, "MULTI");
        call::<()>(&mut redis, "PING");
        assert_eq!(call::<Value>(&mut redis, "EXEC"), Value::Nil, "{change}");
        assert_ne!(dirty(&mut redis), before, "{change}");
    }
}

#[test]
fn a_full_server_counts_no_more_and_still_answers() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "CMS.INITBYDIM k 10 2");
    call::<()>(&mut redis, "CONFIG SET maxmemory 1");
    for line in ["CMS.INCRBY k a 1", "CMS.MERGE k 1 k", "CMS.INITBYDIM new 10 2", "CMS.INITBYPROB new 0.1 0.1"] {
        assert!(try_call::<Value>(&mut redis, line).unwrap_err().contains("OOM"), "{line}");
    }
    assert_eq!(call::<Vec<i64>>(&mut redis, "CMS.QUERY k a"), [0]);
}

#[test]
fn no_keyspace_event_is_told_as_the_original_tells_none() {
    let server = server();
    let (mut redis, mut listener) = (server.connection().unwrap(), server.connection().unwrap());
    call::<()>(&mut redis, "CONFIG SET notify-keyspace-events KEA");
    let mut events = listener.as_pubsub();
    events.psubscribe("__keyevent@*").unwrap();
    for line in ["CMS.INITBYDIM k 10 2", "CMS.INCRBY k a 1", "CMS.MERGE k 1 k", "CMS.QUERY k a", "CMS.INFO k", "DEL k"]
    {
        call::<Value>(&mut redis, line);
    }
    assert_eq!(events.get_message().unwrap().get_channel_name(), "__keyevent@0__:del");
}
