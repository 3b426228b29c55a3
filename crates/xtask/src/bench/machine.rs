//! What was measured on.

use std::fs;
use std::thread::available_parallelism;

use anyhow::Result;

use crate::setup::Tools;

/// Processor, cores, load and server in one line.
pub(super) fn describe(tools: &Tools) -> Result<String> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("processor of unknown make", |(_, name)| name.trim());
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').nth(1).unwrap_or("unknown").to_owned();
    let server = tools.found.split(", ").next().unwrap_or_default();
    Ok(format!("{server} · {model}, {} cores · load {load}", available_parallelism()?))
}
