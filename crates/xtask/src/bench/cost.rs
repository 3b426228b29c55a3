//! Processor time of a server's main thread.

use std::fs;

use anyhow::{Context, Result};
use eddyline_testkit::Server;
use redis::Connection;

/// Seconds so far, as the server itself counts them.
pub(super) fn main_thread_seconds(connection: &mut Connection) -> Result<f64> {
    let info: String = redis::cmd("INFO").arg("cpu").query(connection)?;
    let part = |name: &str| -> Result<f64> {
        let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        Ok(value.with_context(|| format!("INFO cpu has no {name}: Redis 6.2 or later is needed"))?.trim().parse()?)
    };
    Ok(part("used_cpu_user_main_thread")? + part("used_cpu_sys_main_thread")?)
}

/// Nanoseconds so far, as the kernel counts them: exact while the thread waits.
pub(super) fn main_thread_ns(server: &Server) -> Result<u64> {
    let pid = server.pid().context("the server is gone")?;
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/schedstat"))
        .context("this needs a Linux that counts processor time by thread")?;
    Ok(text.split_whitespace().next().unwrap_or_default().parse()?)
}

/// Calls of a command so far, and how many of them failed.
pub(super) fn calls(connection: &mut Connection, command: &str) -> Result<(u64, u64)> {
    let info: String = redis::cmd("INFO").arg("commandstats").query(connection)?;
    // a module's command keeps the case that it was registered in
    let named = |line: &str| {
        let (name, stats) = line.strip_prefix("cmdstat_")?.split_once(':')?;
        name.eq_ignore_ascii_case(command).then(|| stats.to_owned())
    };
    let Some(stats) = info.lines().find_map(named) else { return Ok((0, 0)) };
    let number = |name: &str| {
        let value = stats.trim().split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        value.and_then(|value| value.parse::<u64>().ok()).unwrap_or(0)
    };
    Ok((number("calls"), number("failed_calls") + number("rejected_calls")))
}
