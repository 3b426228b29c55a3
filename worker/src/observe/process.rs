//! What the operating system knows of this process, from `/proc`. Elsewhere than on Linux nothing is told.

use super::names;
use super::table::METRICS;
use std::fmt::Write;
use std::fs::read_to_string;

/// The metrics that are told here.
pub const NAMES: [&str; 3] = [names::MEMORY, names::CPU, names::STARTED];

/// Ticks a second in `/proc/<pid>/stat`: what Linux promises programs, whatever the kernel counts by.
const TICKS: f64 = 100.0;

/// Memory that the process holds, in bytes.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    resident(&read_to_string("/proc/self/status").ok()?)
}

/// All of them, in Prometheus' text format.
#[must_use]
pub fn text() -> String {
    let mut text = String::new();
    let memory = resident_bytes().map(|bytes| bytes as f64);
    let stat = read_to_string("/proc/self/stat").unwrap_or_default();
    let boot = read_to_string("/proc/stat").unwrap_or_default();
    for (name, value) in NAMES.into_iter().zip([memory, cpu_seconds(&stat), started(&stat, &boot)]) {
        let metric = METRICS.iter().find(|metric| metric.name == name);
        if let (Some(metric), Some(value)) = (metric, value) {
            let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {}", metric.help, metric.kind.as_str());
            let _ = writeln!(text, "{name} {value}\n");
        }
    }
    text
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Field `number` of `/proc/<pid>/stat` as the manual counts them; the second is a name that may hold anything.
fn field(stat: &str, number: usize) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((field(stat, 14)? + field(stat, 15)?) / TICKS)
}

fn started(stat: &str, boot: &str) -> Option<f64> {
    let boot: f64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(boot + field(stat, 22)? / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str =
        "42 (a b) c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 5 0 12345 1000 200 18446744073709551615";

    #[test]
    fn times_are_seconds_whatever_the_process_is_called() {
        assert_eq!(cpu_seconds(STAT), Some(3.0));
        assert_eq!(started(STAT, "cpu 1 2\nbtime 1700000000\n"), Some(1_700_000_123.45));
        assert_eq!((cpu_seconds(""), started(STAT, ""), resident("VmRSS:\t much")), (None, None, None));
        assert_eq!(resident("Name: x\nVmRSS:\t    2048 kB\n"), Some(2_097_152));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_very_process_has_memory_and_a_past() {
        let text = text();
        for name in NAMES {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap();
            assert!(line.parse::<f64>().unwrap() >= 0.0, "{text}");
        }
        assert!(resident_bytes().unwrap() > 100_000);
    }
}
