//! Rights: may this user do what a worker does? Asked by `ACL DRYRUN`, which runs nothing.

use super::code::Code;
use super::finding::{Finding, SERVER};
use super::patient::Patient;
use crate::store::write::GROUP;
use eddyline_wire::keys::{ALERTS, CLOSED, Companions, service};
use redis::RedisResult;

/// What a worker calls, each with its arguments.
fn calls(monitor: &Companions, module: bool) -> Vec<Vec<Vec<u8>>> {
    let words = |line: &str, key: Option<Vec<u8>>, rest: &str| {
        let split = |text: &str| text.split_whitespace().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
        [split(line), key.into_iter().collect(), split(rest)].concat()
    };
    let keyed = |line: &str, key: Vec<u8>, rest: &str| words(line, Some(key), rest);
    // What workers share.
    let shared = |line: &str, key: &str, rest: &str| words(line, Some(key.into()).filter(|_| !key.is_empty()), rest);
    let mut calls = vec![
        words("SUBSCRIBE", Some(CLOSED.into()), ""),
        words("PUBLISH", Some(ALERTS.into()), "message"),
        keyed("PUBLISH", monitor.alerts(), "message"),
        words("SCRIPT LOAD", None, "return"),
        words("EVALSHA", None, "0 0"),
        keyed("XRANGE", monitor.fingerprints(), "- +"),
        keyed("XGROUP CREATE", monitor.fingerprints(), &format!("{GROUP} 0")),
        keyed("XGROUP SETID", monitor.fingerprints(), &format!("{GROUP} 0")),
        words("SCAN 0", None, ""),
        keyed("HGET", monitor.settings(), "period_ms"),
        keyed("HGET", monitor.schemas(), "0"),
        keyed("HGETALL", monitor.settings(), ""),
        keyed("HLEN", monitor.settings(), ""),
        keyed("HKEYS", monitor.settings(), ""),
        keyed("HSTRLEN", monitor.settings(), "period_ms"),
        keyed("HSETNX", monitor.schemas(), "0 record"),
        keyed("XINFO STREAM", monitor.scores(), ""),
        keyed("TYPE", monitor.scores(), ""),
        keyed("XADD", monitor.scores(), "* score 0"),
        keyed("XADD", monitor.incidents(), "* event opened"),
        keyed("XREVRANGE", monitor.incidents(), "+ -"),
        keyed("GETRANGE", monitor.model(), "0 1"),
        keyed("SET", monitor.model(), "bytes"),
        keyed("GET", monitor.lease(), ""),
        keyed("SET", monitor.lease(), "token"),
        keyed("PTTL", monitor.lease(), ""),
        keyed("PEXPIRE", monitor.lease(), "1"),
        keyed("DEL", monitor.lease(), ""),
        keyed("INCR", monitor.lease_tokens(), ""),
        shared("TIME", "", ""),
        shared("ZADD", service::WORKERS, "1 worker"),
        shared("ZRANGE", service::WORKERS, "0 1"),
        shared("ZREM", service::WORKERS, "worker"),
        shared("ZREMRANGEBYSCORE", service::WORKERS, "0 1"),
        shared("PEXPIRE", service::WORKERS, "1"),
        shared("PTTL", service::NOTIFIER_LEASE, ""),
        shared("SET", service::NOTIFIER_LEASE, "token"),
        shared("DEL", service::NOTIFIER_LEASE, ""),
        shared("INCR", service::NOTIFIER_TOKENS, ""),
        keyed("EXISTS", monitor.lease(), ""),
        shared("GET", service::NOTIFIER, ""),
        shared("SET", service::NOTIFIER, "state"),
        shared("XADD", service::NOTIFICATIONS, "* event opened"),
        shared("XRANGE", service::NOTIFICATIONS, "- +"),
        shared("XINFO STREAM", service::NOTIFICATIONS, ""),
        shared("HGETALL", service::DELIVERED, ""),
        shared("HSET", service::DELIVERED, "sink 0-0"),
        shared("HDEL", service::DELIVERED, "sink"),
        shared("XADD", service::DEAD_LETTERS, "* sink name"),
        shared("XRANGE", service::MARKERS, "- +"),
    ];
    if module {
        calls.push(words("EDDY.LIST", None, ""));
        calls.push(keyed("EDDY.INFO", monitor.monitor().to_vec(), ""));
    }
    calls
}

/// What this user may not do of what a worker does for `monitor`.
///
/// # Errors
/// Trouble with Redis.
pub fn findings(patient: &mut Patient, monitor: &Companions, module: bool) -> RedisResult<Option<Finding>> {
    let Some(user): Option<String> = patient.try_ask(redis::cmd("ACL").arg("WHOAMI"))? else { return Ok(None) };
    let mut missing: Vec<String> = Vec::new();
    for call in calls(monitor, module) {
        let verdict: Option<String> = patient.try_ask(redis::cmd("ACL").arg("DRYRUN").arg(&user).arg(&call))?;
        if verdict.is_some_and(|verdict| verdict != "OK") {
            let shown = call.iter().take(3).map(|word| eddyline_wire::text::printable(word, 64));
            missing.push(shown.collect::<Vec<_>>().join(" "));
        }
    }
    Ok((!missing.is_empty()).then(|| {
        let what = format!("user '{user}' lacks rights that a worker needs: {}", missing.join(", "));
        Finding::problem(Code::NoPermission, SERVER, what, "give workers a user with the rights of docs/operations.md")
    }))
}
