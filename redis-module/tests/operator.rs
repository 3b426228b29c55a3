//! What an operator sees and sets: loading, settings, `INFO eddyline`, memory, and data that can't be loaded.

mod support;

use eddyline_testkit::{Server, Setup, eventually, module_path};
use redis::{Connection, Value};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use support::{SOON, call, digest, server, settled, try_call};
use tempfile::TempDir;

fn setting(redis: &mut Connection, name: &str) -> String {
    call::<Vec<String>>(redis, &format!("CONFIG GET eddyline.{name}")).pop().unwrap_or_default()
}

/// A field of `INFO`, as text.
fn told(redis: &mut Connection, section: &str, field: &str) -> Option<String> {
    let info: String = call(redis, &format!("INFO {section}"));
    info.lines().find_map(|line| Some(line.strip_prefix(field)?.strip_prefix(':')?.to_owned()))
}

fn ours(redis: &mut Connection, field: &str) -> String {
    told(redis, "eddyline", &format!("eddyline_{field}")).unwrap_or_else(|| panic!("INFO has no {field}"))
}

/// A server with a configuration file, which it takes as its first argument only.
fn with_file(folder: &TempDir, module: bool) -> Setup {
    let (script, file) = (folder.path().join("server"), folder.path().join("redis.conf"));
    let server = std::env::var("EDDYLINE_SERVER").unwrap_or_else(|_| "redis-server".to_owned());
    fs::write(&script, format!("#!/bin/sh\nexec {server} {} \"$@\"\n", file.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    if module { Server::with_module() } else { Server::plain() }.program(&script)
}

#[test]
fn an_argument_that_is_not_allowed_keeps_the_module_out_and_is_named() {
    for (arguments, expected) in [
        (["speed", "9"], "eddyline can't be loaded: unknown argument 'speed'. Arguments are: max-monitor-bytes"),
        (["max-monitor-bytes", "1gb"], "argument max-monitor-bytes must be 16kb to 64mb, got '1gb'"),
        (["cms-commands", "perhaps"], "argument cms-commands must be auto, yes or no, got 'perhaps'"),
    ] {
        let error = Server::with_module().module_args(arguments).start().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn settings_come_from_arguments_or_commands_and_a_rewritten_file_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("redis.conf");
    fs::write(&file, "").unwrap();
    let server =
        with_file(&folder, true).module_args(["max-monitor-bytes", "2mb", "cms-commands", "no"]).start().unwrap();
    let mut redis = server.connection().unwrap();
    assert_eq!(setting(&mut redis, "max-monitor-bytes"), "2097152");
    assert_eq!(setting(&mut redis, "cms-commands"), "no");
    call::<()>(&mut redis, "CONFIG SET eddyline.max-monitor-bytes 3mb");
    assert_eq!(setting(&mut redis, "max-monitor-bytes"), "3145728");
    for (line, expected) in [
        ("CONFIG SET eddyline.max-monitor-bytes 1kb", "between 16384 and 67108864"),
        ("CONFIG SET eddyline.max-monitor-bytes lots", "must be a memory value"),
        ("CONFIG SET eddyline.cms-commands yes", "immutable"),
    ] {
        let error = try_call::<()>(&mut redis, line).unwrap_err();
        assert!(error.contains(expected), "{line}: {error}");
    }
    call::<()>(&mut redis, "CONFIG REWRITE");
    drop(server);
    let written = fs::read_to_string(&file).unwrap();
    let ours: Vec<&str> = written.lines().filter(|line| line.contains("eddyline")).collect();
    fs::write(&file, ours.join("\n")).unwrap();

    // now the file loads the module, with what the other server wrote
    let server = with_file(&folder, false).start().unwrap();
    let mut redis = server.connection().unwrap();
    assert_eq!(setting(&mut redis, "max-monitor-bytes"), "3145728");
    assert_eq!(setting(&mut redis, "cms-commands"), "no");
}

#[test]
fn a_running_server_loads_the_module_with_arguments_and_settings() {
    let path = module_path().unwrap().display();
    let running = || Server::plain().args(["--enable-module-command", "yes"]).start().unwrap();
    let server = running();
    let mut redis = server.connection().unwrap();
    assert!(try_call::<()>(&mut redis, &format!("MODULE LOAD {path} speed 9")).is_err());
    call::<()>(&mut redis, &format!("MODULE LOAD {path} max-monitor-bytes 100kb"));
    assert_eq!(setting(&mut redis, "max-monitor-bytes"), "102400");

    let server = running();
    let mut redis = server.connection().unwrap();
    let beyond = format!("MODULE LOADEX {path} CONFIG eddyline.max-monitor-bytes 1gb");
    assert!(try_call::<()>(&mut redis, &beyond).is_err());
    let loaded = format!("MODULE LOADEX {path} CONFIG eddyline.max-monitor-bytes 1mb ARGS cms-commands no");
    call::<()>(&mut redis, &loaded);
    assert_eq!(setting(&mut redis, "max-monitor-bytes"), "1048576");
    assert_eq!(setting(&mut redis, "cms-commands"), "no");
}

const ONE: &str = "EDDY.CREATE m CLOCK stream WINDOW 1000 DIMENSIONS 1 service";

#[test]
fn the_limit_refuses_a_client_of_a_primary_and_nobody_else() {
    let small = ["max-monitor-bytes", "16kb"];
    let mut primary = Server::with_module().tcp().args(["--appendonly", "yes"]).start().unwrap();
    let replica = Server::with_module().module_args(small).replica_of(&primary).start().unwrap();
    let mut redis = primary.connection().unwrap();
    let mut on_replica = replica.connection().unwrap();
    eventually(SOON, || call::<String>(&mut on_replica, "INFO replication").contains("master_link_status:up"));
    call::<()>(&mut redis, ONE);
    assert_eq!(call::<i64>(&mut redis, "WAIT 1 20000"), 1);
    assert_eq!(digest(&mut on_replica, "m"), digest(&mut redis, "m"));

    call::<()>(&mut redis, "CONFIG SET eddyline.max-monitor-bytes 16kb");
    let error = try_call::<()>(&mut redis, &ONE.replace(" m ", " n ")).unwrap_err();
    assert!(error.contains("eddyline.max-monitor-bytes allows 16384"), "{error}");
    assert_eq!(ours(&mut redis, "creates_over_limit"), "1");
    assert_eq!(call::<Vec<String>>(&mut redis, "EDDY.LIST"), ["m"]);
    assert!(try_call::<Value>(&mut redis, &format!("{ONE} DRYRUN")).is_ok(), "asking is free");

    // a file is loaded whatever the limit is now
    let before = digest(&mut redis, "m");
    primary.shutdown().unwrap();
    let again =
        Server::with_module().module_args(small).args(["--appendonly", "yes"]).data_of(&primary).start().unwrap();
    let mut redis = again.connection().unwrap();
    assert_eq!(digest(&mut redis, "m"), before);
}

#[test]
fn info_tells_what_this_node_did() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m CLOCK stream WINDOW 1000 DIMENSIONS 1 service");
    call::<()>(&mut redis, "EDDY.CREATE s SOURCES 1 metrics CLOCK stream WINDOW 1000 DIMENSIONS 1 service");
    call::<i64>(&mut redis, "EDDY.CLOSE m 5000");
    call::<i64>(&mut redis, "EDDY.OBSERVE m service pay");
    call::<i64>(&mut redis, "EDDY.MOBSERVE m 1 service pay cart");
    call::<i64>(&mut redis, "EDDY.CLOSE m 6000");
    for id in ["5000-1", "5000-2", "6000-1"] {
        call::<String>(&mut redis, &format!("XADD metrics {id} service pay"));
    }
    call::<()>(&mut redis, "EDDY.ALTER s SOURCES 2 metrics older");
    call::<String>(&mut redis, "XADD older 4000-1 service pay");
    settled(&mut redis, "m");
    settled(&mut redis, "s");
    eventually(SOON, || ours(&mut redis, "fingerprints_waiting") == "0" && ours(&mut redis, "monitors_behind") == "0");
    for (field, value) in [
        ("version", env!("CARGO_PKG_VERSION")),
        ("monitors", "2"),
        ("cms_commands", "auto"),
        ("observations", "6"),
        ("entries_read", "3"),
        ("entries_late", "1"),
        ("windows_closed", "2"),
        ("windows_dropped", "0"),
        ("fingerprints_sent", "2"),
        ("writes_refused", "0"),
        ("last_refusal", ""),
    ] {
        assert_eq!(ours(&mut redis, field), value, "{field}");
    }
    let promised: u64 = ours(&mut redis, "monitors_bytes_at_most").parse().unwrap();
    let each: u64 = support::info(&mut redis, "m", "memory_bytes_at_most").parse().unwrap();
    assert_eq!(promised, 2 * each);
    assert!(ours(&mut redis, "longest_tick_us").parse::<u64>().unwrap() > 0);
    // one section by its name
    assert!(told(&mut redis, "eddyline_windows", "eddyline_windows_closed").is_some());
    assert!(told(&mut redis, "eddyline_windows", "eddyline_version").is_none());
    call::<()>(&mut redis, "DEL m s");
    assert_eq!(ours(&mut redis, "monitors"), "0");
}

#[test]
fn the_document_for_operators_tells_every_field_and_setting() {
    let document = include_str!("../../docs/operations.md");
    let server = server();
    let mut redis = server.connection().unwrap();
    let info: String = call(&mut redis, "INFO eddyline");
    let fields = info.lines().filter_map(|line| Some(line.strip_prefix("eddyline_")?.split_once(':')?.0));
    let settings: Vec<String> = call(&mut redis, "CONFIG GET eddyline.*");
    let names: Vec<&str> = fields.chain(settings.iter().step_by(2).map(String::as_str)).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(document.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn info_of_a_replica_knows_when_a_database_was_emptied() {
    let primary = Server::with_module().tcp().start().unwrap();
    let replica = Server::with_module().replica_of(&primary).start().unwrap();
    let (mut redis, mut on_replica) = (primary.connection().unwrap(), replica.connection().unwrap());
    eventually(SOON, || call::<String>(&mut on_replica, "INFO replication").contains("master_link_status:up"));
    let mut after = |lines: &[&str]| {
        for line in lines {
            call::<Value>(&mut redis, line);
        }
        assert_eq!(call::<i64>(&mut redis, "WAIT 1 20000"), 1);
        (ours(&mut redis, "monitors"), ours(&mut on_replica, "monitors"))
    };
    let both = |n: &str| (n.to_owned(), n.to_owned());
    let second = "EDDY.CREATE other CLOCK stream DIMENSIONS 1 service";
    assert_eq!(after(&[ONE, "SELECT 3", second]), both("2"));
    assert_eq!(after(&["FLUSHDB"]), both("1"));
    assert_eq!(after(&[second, "FLUSHALL ASYNC"]), both("0"));
}

#[test]
fn a_refused_fingerprint_waits_and_info_says_why() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, ONE);
    call::<i64>(&mut redis, "EDDY.CLOSE m 5000");
    call::<()>(&mut redis, "CONFIG SET maxmemory 1");
    assert!(try_call::<()>(&mut redis, "EDDY.CREATE n").unwrap_err().starts_with("OOM"));
    assert!(try_call::<()>(&mut redis, "EDDY.ALTER m PAUSED yes").unwrap_err().starts_with("OOM"));
    call::<i64>(&mut redis, "EDDY.OBSERVE m service pay");
    call::<i64>(&mut redis, "EDDY.MOBSERVE m 1 service pay");
    call::<i64>(&mut redis, "EDDY.CLOSE m 6000");
    eventually(SOON, || ours(&mut redis, "fingerprints_waiting") == "1" && ours(&mut redis, "writes_refused") != "0");
    assert!(ours(&mut redis, "last_refusal").starts_with("OOM"), "{}", ours(&mut redis, "last_refusal"));
    assert_eq!(ours(&mut redis, "fingerprints_sent"), "0");
    call::<()>(&mut redis, "CONFIG SET maxmemory 0");
    eventually(SOON, || {
        ours(&mut redis, "fingerprints_waiting") == "0" && ours(&mut redis, "fingerprints_sent") == "1"
    });
}

#[test]
fn a_crash_report_has_our_sections() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, ONE);
    let _ = try_call::<()>(&mut redis, "DEBUG SEGFAULT");
    eventually(SOON, || server.log().contains("eddyline_monitors:1"));
}

#[test]
fn big_monitors_are_freed_in_the_background() {
    let server = server();
    let mut redis = server.connection().unwrap();
    let freed = |redis: &mut Connection| told(redis, "memory", "lazyfreed_objects").unwrap().parse::<u64>().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m CLOCK stream DIMENSIONS 3 service endpoint status");
    call::<()>(&mut redis, "EDDY.CREATE small CLOCK stream UNIQUES 1 user");
    call::<()>(&mut redis, "COPY m copied");
    assert_eq!(digest(&mut redis, "m"), digest(&mut redis, "copied"));
    call::<i64>(&mut redis, "UNLINK small");
    call::<i64>(&mut redis, "UNLINK m");
    eventually(SOON, || freed(&mut redis) == 1);
    call::<()>(&mut redis, "FLUSHALL ASYNC");
    eventually(SOON, || freed(&mut redis) == 2);
    assert!(call::<Vec<String>>(&mut redis, "EDDY.LIST").is_empty());
}

#[test]
fn data_that_ends_early_or_is_damaged_is_refused_and_the_server_lives() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m CLOCK stream WINDOW 1000 BUCKETS 8 UNIQUES 1 user DIMENSIONS 1 service");
    call::<i64>(&mut redis, "EDDY.CLOSE m 5000");
    call::<i64>(&mut redis, "EDDY.OBSERVE m service pay");
    let dump: Vec<u8> = call(&mut redis, "DUMP m");
    call::<()>(&mut redis, "DEBUG SET-SKIP-CHECKSUM-VALIDATION 1");
    let (content, trailer) = dump.split_at(dump.len() - 10);
    let mut restore = |key: &str, content: &[u8]| {
        redis::cmd("RESTORE").arg(key).arg(0).arg([content, trailer].concat()).exec(&mut redis)
    };
    restore("whole", content).unwrap();
    for length in (0..content.len()).rev().step_by(7) {
        assert!(restore("cut", &content[..length]).is_err(), "{length} bytes");
    }
    for at in 0..content.len() {
        let mut damaged = content.to_vec();
        damaged[at] ^= 1 << (at % 8);
        // what still makes sense may load
        let _ = restore(&format!("damaged{at}"), &damaged);
    }
    assert!(server.log().contains("the monitor cut can't be loaded: the data ends early"));
    assert_eq!(call::<String>(&mut redis, "PING"), "PONG");
}
