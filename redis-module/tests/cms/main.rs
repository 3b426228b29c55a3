//! `CMS.*` is RedisBloom's to the byte, and survives what a server survives.

mod access;
mod hostile;
mod payload;
mod provider;
mod stored;
#[path = "../support/mod.rs"]
mod support;
mod transcript;

use redis::{Connection, FromRedisValue};

/// Sends arguments of any bytes.
fn send<T: FromRedisValue>(redis: &mut Connection, arguments: &[&[u8]]) -> Result<T, String> {
    let (name, rest) = arguments.split_first().expect("a command");
    let mut command = redis::cmd(std::str::from_utf8(name).expect("a name"));
    for argument in rest {
        command.arg(argument);
    }
    command.query(redis).map_err(|error| error.to_string())
}

/// What `DUMP` gives.
fn dump(redis: &mut Connection, key: &str) -> Vec<u8> {
    support::call(redis, &format!("DUMP {key}"))
}

/// `RESTORE` over what is there.
fn restore(redis: &mut Connection, key: &str, payload: &[u8]) -> Result<(), String> {
    send::<String>(redis, &[b"RESTORE", key.as_bytes(), b"0", payload, b"REPLACE"]).map(drop)
}
