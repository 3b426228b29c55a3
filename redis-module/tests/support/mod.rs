//! What the tests of the module share.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod workload;

use eddyline_testkit::{Server, eventually};
use redis::{Connection, FromRedisValue};
use std::time::Duration;

/// Long enough on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Sends a command line, split at spaces.
pub(crate) fn call<T: FromRedisValue>(connection: &mut Connection, line: &str) -> T {
    try_call(connection, line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// The same; the error as text where the server refuses.
pub(crate) fn try_call<T: FromRedisValue>(connection: &mut Connection, line: &str) -> Result<T, String> {
    let mut words = line.split(' ');
    let mut command = redis::cmd(words.next().expect("a command"));
    words.for_each(|word| {
        command.arg(word);
    });
    command.query(connection).map_err(|error| {
        let code = error.code().unwrap_or_default();
        format!("{code} {}", error.detail().unwrap_or_default())
    })
}

/// One field of `EDDY.INFO` as text.
pub(crate) fn info(connection: &mut Connection, monitor: &str, field: &str) -> String {
    let reply: redis::Value = call(connection, &format!("EDDY.INFO {monitor}"));
    let map = reply.into_map_iter().unwrap_or_else(|_| panic!("EDDY.INFO isn't a map"));
    for (name, value) in map {
        if String::from_redis_value(name).as_deref() == Ok(field) {
            return text(value);
        }
    }
    panic!("EDDY.INFO has no {field}")
}

fn text(value: redis::Value) -> String {
    match value {
        redis::Value::Int(number) => number.to_string(),
        redis::Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        redis::Value::Array(values) => values.into_iter().map(text).collect::<Vec<_>>().join(" "),
        redis::Value::Map(pairs) => {
            pairs.into_iter().flat_map(|(name, value)| [text(name), text(value)]).collect::<Vec<_>>().join(" ")
        }
        other => format!("{other:?}"),
    }
}

/// A stream entry: its id, its fields.
pub(crate) type Entry = (String, Vec<(String, Vec<u8>)>);

/// The fingerprint stream of `monitor`.
pub(crate) fn fingerprints(connection: &mut Connection, monitor: &str) -> Vec<Entry> {
    call(connection, &format!("XRANGE {{{monitor}}}:fingerprints - +"))
}

/// The same, as `(window end, n, gap)`.
pub(crate) fn windows(connection: &mut Connection, monitor: &str) -> Vec<(u64, u64, u64)> {
    let number = |fields: &[(String, Vec<u8>)], name: &str| {
        let value = fields.iter().find(|(field, _)| field == name);
        value.map_or(0, |(_, value)| String::from_utf8_lossy(value).parse().expect("a number"))
    };
    fingerprints(connection, monitor)
        .iter()
        .map(|(id, fields)| {
            let end = id.strip_suffix("-0").expect("a window end").parse().expect("milliseconds");
            (end, number(fields, "n"), number(fields, "gap"))
        })
        .collect()
}

/// Observations in all windows of the stream, and in the open one.
pub(crate) fn counted(connection: &mut Connection, monitor: &str) -> u64 {
    let open: u64 = info(connection, monitor, "open_observations").parse().expect("a number");
    windows(connection, monitor).iter().map(|(_, n, _)| n).sum::<u64>() + open
}

/// Waits until `monitor` has read its sources and sent its windows.
pub(crate) fn settled(connection: &mut Connection, monitor: &str) {
    eventually(SOON, || info(connection, monitor, "following") == "yes" && info(connection, monitor, "waiting") == "0");
}

/// `DEBUG DIGEST-VALUE` of a key.
pub(crate) fn digest(connection: &mut Connection, key: &str) -> String {
    call::<Vec<String>>(connection, &format!("DEBUG DIGEST-VALUE {key}")).remove(0)
}

/// A server with the module.
pub(crate) fn server() -> Server {
    Server::with_module().start().expect("a server with the module")
}
