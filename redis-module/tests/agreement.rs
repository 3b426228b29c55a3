//! A monitor is a function of the command log: after any mix of commands, entries and closings, a replica and servers
//! restarted from the append-only file or a snapshot agree with the primary, byte for byte.

mod support;

use eddyline_testkit::{Server, eventually};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use redis::Connection;
use std::time::Duration;
use support::{SOON, call, digest, fingerprints, try_call};

const MONITORS: [&str; 5] = ["given", "inferred", "streamed", "pushed", "moved"];
const STREAMS: [&str; 4] = ["a", "b", "c", "d"];

fn create(redis: &mut Connection, monitor: &str) {
    let options = match monitor {
        "given" => "SOURCES 2 a b WINDOW 100 DIMENSIONS 1 service MEASURES 1 latency_ms CROSSES 1 service*latency_ms",
        "inferred" => "SOURCES 1 a WINDOW 200",
        "streamed" => {
            "SOURCES 2 b c FROM 0 CLOCK stream WINDOW 300 DIMENSIONS 2 service status CROSSES 1 service*status"
        }
        "pushed" => "WINDOW 100 DIMENSIONS 1 service UNIQUES 1 user",
        _ => "SOURCES 1 d FROM 0 WINDOW 150 DIMENSIONS 1 service",
    };
    let _ = try_call::<()>(redis, &format!("EDDY.CREATE {monitor} {options}"));
}

fn fields(rng: &mut StdRng) -> String {
    let service = ["pay", "cart", "ship", "auth"][rng.random_range(0..4)];
    let mut fields = format!("service {service} latency_ms {}", rng.random_range(1..2000));
    if rng.random_bool(0.7) {
        fields += &format!(" status {}", [200, 404, 500][rng.random_range(0..3)]);
    }
    if rng.random_bool(0.5) {
        fields += &format!(" user u{}", rng.random_range(0..500));
    }
    fields
}

/// One random thing that a client might do.
fn act(redis: &mut Connection, rng: &mut StdRng) {
    let stream = STREAMS[rng.random_range(0..STREAMS.len())];
    let other = STREAMS[rng.random_range(0..STREAMS.len())];
    let monitor = MONITORS[rng.random_range(0..MONITORS.len())];
    let fields = fields(rng);
    let now: u64 = call::<Vec<u64>>(redis, "TIME")[0] * 1000;
    let line = match rng.random_range(0..100) {
        0..40 => format!("XADD {stream} * {fields}"),
        40..45 => format!("XADD {stream} MAXLEN ~ 20 * {fields}"),
        45..50 => format!("XADD {stream} {} {fields}", now + rng.random_range(0..3000)),
        50..62 => format!("EDDY.OBSERVE {monitor} {fields}"),
        62..68 => format!("EDDY.MOBSERVE {monitor} 2 service latency_ms pay 3 cart 4 ship {}", rng.random_range(0..99)),
        68..73 => format!("EDDY.CLOSE {monitor} {}", now + rng.random_range(0..2000)),
        73..74 => format!("DEL {stream}"),
        74..75 => format!("PEXPIRE {stream} {}", rng.random_range(1..60)),
        75..76 => format!("XGROUP CREATE {stream} g $ MKSTREAM"),
        76..79 => format!("RENAME {stream} {other}"),
        79..81 => format!("XTRIM {stream} MAXLEN {}", rng.random_range(0..5)),
        81..82 => format!("DEL {monitor}"),
        82..84 => format!("COPY {stream} {other} REPLACE"),
        84..85 => format!("RENAME {monitor} moved"),
        85..86 => format!("COPY {monitor} moved REPLACE"),
        86..87 => "BGREWRITEAOF".to_owned(),
        87..89 => format!("EDDY.ALTER {monitor} CLOCK {}", ["server", "stream"][rng.random_range(0..2)]),
        89..91 => {
            let mut pipe = redis::pipe();
            pipe.atomic();
            for _ in 0..3 {
                pipe.cmd("XADD").arg(stream).arg("*").arg("service").arg("pay").ignore();
                pipe.cmd("EDDY.OBSERVE").arg("pushed").arg("service").arg("cart").ignore();
            }
            let _ = pipe.exec(redis);
            return;
        }
        91..93 => {
            let script = "redis.call('XADD', KEYS[1], '*', 'service', 'lua') return redis.call('XADD', KEYS[1], '*', 'service', 'pay')";
            let _ = redis::cmd("EVAL").arg(script).arg(1).arg(stream).exec(redis);
            return;
        }
        93..96 => {
            create(redis, monitor);
            return;
        }
        _ => {
            std::thread::sleep(Duration::from_millis(rng.random_range(1..120)));
            return;
        }
    };
    let _ = try_call::<redis::Value>(redis, &line);
}

/// Digest and fingerprints of every monitor that is there.
fn state(redis: &mut Connection) -> Vec<(String, String, usize)> {
    let monitors: Vec<String> = call(redis, "EDDY.LIST");
    let of = |monitor: String| {
        let written = format!("{:?}", fingerprints(redis, &monitor));
        let digest = digest(redis, &monitor) + &format!("{:x}", fnv(&written));
        (monitor, digest, written.matches("schema").count())
    };
    monitors.into_iter().map(of).collect()
}

fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A server that looks at old data but never writes: a replica of nobody.
fn onlooker(data: &Server, args: &[&str]) -> Server {
    Server::with_module().args(["--replicaof", "127.0.0.1", "1"]).args(args).data_of(data).start().unwrap()
}

/// Says how many fingerprints there were to agree on.
fn nodes_agree(seed: u64, preamble: &str) -> usize {
    let mut rng = StdRng::seed_from_u64(seed);
    let aof = ["--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", preamble];
    let mut primary = Server::with_module().tcp().args(aof).start().unwrap();
    let mut redis = primary.connection().unwrap();
    for monitor in MONITORS {
        create(&mut redis, monitor);
    }
    (0..400).for_each(|_| act(&mut redis, &mut rng));
    let replica = Server::with_module().replica_of(&primary).start().unwrap();
    (0..400).for_each(|_| act(&mut redis, &mut rng));
    // a crash in the middle: what was acknowledged is there again
    primary.kill().unwrap();
    primary.start().unwrap();
    let mut redis = primary.connection().unwrap();
    (0..400).for_each(|_| act(&mut redis, &mut rng));

    let mut follower = replica.connection().unwrap();
    eventually(SOON, || call::<String>(&mut follower, "INFO replication").contains("master_link_status:up"));
    call::<()>(&mut redis, "CLIENT PAUSE 100000 WRITE");
    let offset = |redis: &mut Connection| {
        let info: String = call(redis, "INFO replication");
        let offset = info.lines().find_map(|line| line.strip_prefix("master_repl_offset:"));
        offset.and_then(|offset| offset.parse::<u64>().ok())
    };
    let written = offset(&mut redis);
    eventually(SOON, || offset(&mut follower) >= written);
    let expected = state(&mut redis);
    assert_eq!(state(&mut follower), expected, "replica, seed {seed}");

    // the replica's own snapshot may still be under way
    eventually(SOON, || try_call::<()>(&mut redis, "SAVE").is_ok());
    primary.kill().unwrap();
    let from_aof = onlooker(&primary, &aof);
    assert_eq!(state(&mut from_aof.connection().unwrap()), expected, "append-only file, seed {seed}");
    let from_rdb = onlooker(&primary, &[]);
    assert_eq!(state(&mut from_rdb.connection().unwrap()), expected, "snapshot, seed {seed}");
    expected.iter().map(|(_, _, written)| written).sum()
}

/// Seeds to try: three, or as many as `EDDYLINE_SEEDS` says for a long run.
fn seeds() -> std::ops::Range<u64> {
    1..1 + std::env::var("EDDYLINE_SEEDS").map_or(3, |n| n.parse().expect("EDDYLINE_SEEDS must be a number"))
}

#[test]
fn replica_append_only_file_and_snapshot_agree_with_the_primary() {
    let fingerprints: usize = seeds().map(|seed| nodes_agree(seed, "yes")).sum();
    assert!(fingerprints > 50, "only {fingerprints} fingerprints: too few to tell");
}

#[test]
fn an_append_only_file_without_preamble_agrees_too() {
    let fingerprints: usize = seeds().map(|seed| nodes_agree(1000 + seed, "no")).sum();
    assert!(fingerprints > 50, "only {fingerprints} fingerprints: too few to tell");
}
