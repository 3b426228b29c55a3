//! A random mix of what clients do, and what nodes must agree on after it.

use super::{SOON, call, digest, fingerprints, try_call};
use eddyline_testkit::{Server, eventually};
use rand::Rng;
use rand::rngs::StdRng;
use redis::Connection;
use std::time::Duration;

pub(crate) const MONITORS: [&str; 5] = ["given", "inferred", "streamed", "pushed", "moved"];
const STREAMS: [&str; 4] = ["a", "b", "c", "d"];

/// Makes one of the monitors, unless it is there.
pub(crate) fn create(redis: &mut Connection, monitor: &str) {
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

/// So many random things, with every monitor made beforehand where it is missing. One that nobody touches has written a
/// fingerprint in the end.
pub(crate) fn run(redis: &mut Connection, rng: &mut StdRng, actions: u32) {
    call::<()>(redis, "SELECT 0");
    for monitor in MONITORS {
        create(redis, monitor);
    }
    (0..actions).for_each(|_| act(redis, rng));
    call::<()>(redis, "SELECT 0");
    // whatever was flushed: there is something to agree on
    call::<redis::Value>(redis, "EDDY.CREATE steady WINDOW 100 DIMENSIONS 1 service NX");
    eventually(SOON, || !fingerprints(redis, "steady").is_empty());
}

/// One random thing that a client might do.
fn act(redis: &mut Connection, rng: &mut StdRng) {
    call::<()>(redis, &format!("SELECT {}", i32::from(rng.random_bool(0.1))));
    let stream = STREAMS[rng.random_range(0..STREAMS.len())];
    let other = STREAMS[rng.random_range(0..STREAMS.len())];
    let monitor = MONITORS[rng.random_range(0..MONITORS.len())];
    let fields = fields(rng);
    let now: u64 = call::<Vec<u64>>(redis, "TIME")[0] * 1000;
    let line = match rng.random_range(0..116) {
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
        93..97 => {
            create(redis, monitor);
            return;
        }
        100..102 => format!("XSETID {stream} {}", now + rng.random_range(0..500)),
        102..104 => {
            rewind(redis, stream);
            return;
        }
        104 => "SWAPDB 0 1".to_owned(),
        105 => format!("MOVE {} {}", [stream, monitor][rng.random_range(0..2)], rng.random_range(0..2)),
        106..108 => {
            let (from, to) = if rng.random_bool(0.5) { (stream, other) } else { (monitor, "moved") };
            restore(redis, from, to);
            return;
        }
        108..110 => format!("PEXPIRE {monitor} {}", rng.random_range(1..200)),
        110 if rng.random_bool(0.3) => {
            ["FLUSHDB", "FLUSHDB ASYNC", "FLUSHALL ASYNC"][rng.random_range(0..3)].to_owned()
        }
        110 => format!("UNLINK {stream}"),
        111..113 => format!("EDDY.ALTER {monitor} PAUSED {}", ["yes", "no", "no"][rng.random_range(0..3)]),
        113 => format!("EDDY.ALTER {monitor} SOURCES 2 {stream} {other} FROM 0"),
        114 => format!("EDDY.RESET {monitor}"),
        _ => {
            std::thread::sleep(Duration::from_millis(rng.random_range(1..120)));
            return;
        }
    };
    let _ = try_call::<redis::Value>(redis, &line);
}

/// Takes all entries away and says that the newest never was.
fn rewind(redis: &mut Connection, stream: &str) {
    let newest: Result<Vec<(String, Vec<String>)>, _> = try_call(redis, &format!("XREVRANGE {stream} + - COUNT 2"));
    if let Ok([_, (before, _)]) = newest.as_deref() {
        let _ = try_call::<redis::Value>(redis, &format!("XTRIM {stream} MAXLEN 0"));
        let _ = try_call::<redis::Value>(redis, &format!("XSETID {stream} {before}"));
    }
}

/// Puts a dump of one key under another, or the same, name.
fn restore(redis: &mut Connection, from: &str, to: &str) {
    if let Ok(Some(dump)) = try_call::<Option<Vec<u8>>>(redis, &format!("DUMP {from}")) {
        let _ = redis::cmd("RESTORE").arg(to).arg(0).arg(dump).arg("REPLACE").exec(redis);
    }
}

/// What nodes agree on: database and name of a monitor, a hash of its value and all its fingerprints, their number.
pub(crate) type State = Vec<(u8, String, String, usize)>;

/// The state of every monitor that is there.
pub(crate) fn state(redis: &mut Connection) -> State {
    let mut all = State::new();
    for db in 0..2 {
        call::<()>(redis, &format!("SELECT {db}"));
        for monitor in call::<Vec<String>>(redis, "EDDY.LIST") {
            let written = format!("{:?}", fingerprints(redis, &monitor));
            let digest = digest(redis, &monitor) + &format!(" {:x}", fnv(&written));
            all.push((db, monitor, digest, written.matches("schema").count()));
        }
    }
    call::<()>(redis, "SELECT 0");
    all
}

/// The number of fingerprints in a state.
pub(crate) fn written(state: &State) -> usize {
    state.iter().map(|(_, _, _, written)| written).sum()
}

/// Stops all that changes a primary, clients, timer and expiry alike, until `thaw`.
pub(crate) fn freeze(redis: &mut Connection) {
    for db in 0..2 {
        call::<()>(redis, &format!("SELECT {db}"));
        for key in call::<Vec<String>>(redis, "KEYS *") {
            call::<i64>(redis, &format!("PERSIST {key}"));
        }
    }
    call::<()>(redis, "SELECT 0");
    call::<()>(redis, "CLIENT PAUSE 100000 WRITE");
}

/// Ends `freeze`.
pub(crate) fn thaw(redis: &mut Connection) {
    call::<()>(redis, "CLIENT UNPAUSE");
}

fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A server that looks at old data but never writes: a replica of nobody.
pub(crate) fn onlooker(data: &Server, args: &[&str]) -> Server {
    Server::with_module().args(["--replicaof", "127.0.0.1", "1"]).args(args).data_of(data).start().unwrap()
}
