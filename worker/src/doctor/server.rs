//! The server: is it one that eddyline runs on, and will it keep what it is given?

use super::code::Code;
use super::finding::{Finding, SERVER};
use std::collections::BTreeMap;

/// Oldest version of Redis that has what is needed.
const OLDEST: (u64, u64) = (7, 0);

/// What the server says of itself.
#[derive(Debug, Default)]
pub struct Facts {
    /// `INFO everything`.
    pub info: BTreeMap<String, String>,
    /// Settings `save` and `appendonly`, where they may be looked at.
    pub config: BTreeMap<String, String>,
}

impl Facts {
    fn text(&self, field: &str) -> &str {
        self.info.get(field).map_or("", String::as_str)
    }

    fn number(&self, field: &str) -> u64 {
        self.text(field).parse().unwrap_or_default()
    }

    /// The server's name and version.
    #[must_use]
    pub fn server(&self) -> String {
        match self.text("valkey_version") {
            "" => format!("Redis {}", self.text("redis_version")),
            version => format!("Valkey {version}"),
        }
    }

    /// The module's release, if it is loaded.
    #[must_use]
    pub fn module(&self) -> Option<&str> {
        let loaded = self.info.get("module").is_some_and(|module| module.contains("name=eddyline,"));
        self.info.get("eddyline_version").map(String::as_str).or(loaded.then_some("0.0.0"))
    }

    /// Why a write may be refused now, if memory is the reason.
    #[must_use]
    pub fn out_of_memory(&self) -> bool {
        let most = self.number("maxmemory");
        most > 0 && self.number("used_memory") >= most
    }

    /// What the server said when it last refused to write a fingerprint.
    #[must_use]
    pub fn last_refusal(&self) -> &str {
        self.text("eddyline_last_refusal")
    }
}

/// What is wrong with the server; `ours` is the release of this program.
#[must_use]
pub fn findings(facts: &Facts, ours: &str) -> Vec<Finding> {
    let checks = [version(facts), module(facts.module(), ours), role(facts), eviction(facts), memory(facts)];
    checks.into_iter().flatten().chain(persistence(facts)).collect()
}

fn version(facts: &Facts) -> Option<Finding> {
    let mut parts = facts.text("redis_version").split('.').map(|part| part.parse().unwrap_or(0));
    let (major, minor) = (parts.next()?, parts.next()?);
    ((major, minor) < OLDEST).then(|| {
        Finding::problem(
            Code::ServerTooOld,
            SERVER,
            format!("{} is older than 7.0", facts.server()),
            "use Redis 7.0 or newer, or Valkey",
        )
    })
}

/// What is wrong with the module of this release.
#[must_use]
pub fn module(release: Option<&str>, ours: &str) -> Option<Finding> {
    let Some(release) = release else {
        return Some(Finding::problem(
            Code::NoModule,
            SERVER,
            "the module isn't loaded: without it there are no monitors, only fingerprints that others write",
            "redis-cli MODULE LOAD /path/to/libeddyline.so, or start the server with --loadmodule",
        ));
    };
    let parts = |release: &str| release.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u64>>();
    let what = format!("the module is of release {release}, this program of {ours}");
    match parts(release).cmp(&parts(ours)) {
        std::cmp::Ordering::Less => Some(Finding::problem(
            Code::ModuleOlder,
            SERVER,
            what,
            "load the newer module, on replicas first: a server has to restart for that",
        )),
        std::cmp::Ordering::Greater => {
            Some(Finding::advice(Code::ModuleNewer, SERVER, what, "update this program and the workers"))
        }
        std::cmp::Ordering::Equal => None,
    }
}

fn role(facts: &Facts) -> Option<Finding> {
    (facts.text("role") == "slave").then(|| {
        let primary = format!("{}:{}", facts.text("master_host"), facts.text("master_port"));
        Finding::advice(
            Code::IsReplica,
            SERVER,
            format!("this is a replica of {primary}: windows are closed and written there"),
            format!("point workers, and this doctor, to redis://{primary}"),
        )
    })
}

fn eviction(facts: &Facts) -> Option<Finding> {
    let policy = facts.text("maxmemory_policy");
    (facts.number("maxmemory") > 0 && policy.starts_with("allkeys")).then(|| {
        Finding::problem(
            Code::Evicts,
            SERVER,
            format!("maxmemory-policy is {policy}: when memory runs out, monitors and what was learnt are evicted"),
            "CONFIG SET maxmemory-policy volatile-lru (or noeviction): nothing of eddyline's but leases expires",
        )
    })
}

fn memory(facts: &Facts) -> Option<Finding> {
    let (used, most) = (facts.number("used_memory"), facts.number("maxmemory"));
    (most > 0 && used >= most - most / 10).then(|| {
        let finding = if used >= most { Finding::problem } else { Finding::advice };
        finding(
            Code::MemoryFull,
            SERVER,
            format!("{used} of {most} bytes are in use: without room, fingerprints and scores can't be written"),
            "raise maxmemory, or lower RETENTION of monitors (EDDY.ALTER … RETENTION)".to_owned(),
        )
    })
}

fn persistence(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    let appends = facts.text("aof_enabled") == "1";
    match facts.config.get("save").map(String::as_str) {
        Some("") if !appends => found.push(Finding::problem(
            Code::NotSaved,
            SERVER,
            "nothing is saved: a restart loses monitors, scores and what was learnt",
            "CONFIG SET appendonly yes, then CONFIG REWRITE",
        )),
        Some(_) if !appends => found.push(Finding::advice(
            Code::NotSaved,
            SERVER,
            "there is no append-only file: a crash loses the windows since the last snapshot, and they are scored again",
            "CONFIG SET appendonly yes, then CONFIG REWRITE",
        )),
        _ => {}
    }
    let failed = [
        ("rdb_last_bgsave_status", "the last snapshot failed"),
        ("aof_last_write_status", "the append-only file couldn't be written"),
        ("aof_last_bgrewrite_status", "the append-only file couldn't be rewritten"),
    ];
    for (field, what) in failed {
        if facts.text(field) == "err" {
            found.push(Finding::problem(
                Code::SaveFailed,
                SERVER,
                what,
                "the server's log says why: mostly a full disk or missing rights",
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Level;

    fn facts(info: &[(&str, &str)], save: &str) -> Facts {
        let good =
            [("redis_version", "7.0.15"), ("role", "master"), ("eddyline_version", "0.1.0"), ("aof_enabled", "1")];
        let pairs = good.iter().chain(info).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Facts { info: pairs.collect(), config: [("save".to_owned(), save.to_owned())].into() }
    }

    fn found(info: &[(&str, &str)], save: &str) -> Vec<(Level, String)> {
        findings(&facts(info, save), "0.1.0").into_iter().map(|finding| (finding.level, finding.what)).collect()
    }

    #[test]
    fn a_healthy_server_gets_no_finding() {
        assert_eq!(found(&[], "3600 1"), []);
        assert_eq!(found(&[("maxmemory_policy", "allkeys-lru"), ("maxmemory", "0")], ""), []);
        assert_eq!(found(&[("maxmemory_policy", "volatile-lru"), ("maxmemory", "100"), ("used_memory", "50")], ""), []);
    }

    #[test]
    fn each_danger_is_named_at_its_level() {
        let one = |info: &[(&str, &str)], save: &str| {
            let found = found(info, save);
            assert_eq!(found.len(), 1, "{found:?}");
            let (level, what) = &found[0];
            format!("{level:?}: {what}")
        };
        assert!(one(&[("redis_version", "6.2.7")], "").starts_with("Problem: Redis 6.2.7 is older"));
        assert!(one(&[("eddyline_version", "0.0.9")], "").starts_with("Problem: the module is of release 0.0.9"));
        assert!(one(&[("eddyline_version", "0.10.0")], "").starts_with("Advice: the module is of release 0.10.0"));
        assert!(one(&[("role", "slave")], "").starts_with("Advice: this is a replica"));
        let evicting = [("maxmemory_policy", "allkeys-lfu"), ("maxmemory", "100"), ("used_memory", "5")];
        assert!(one(&evicting, "").starts_with("Problem: maxmemory-policy is allkeys-lfu"));
        assert!(one(&[("maxmemory", "100"), ("used_memory", "91")], "").starts_with("Advice: 91 of 100 bytes"));
        assert!(one(&[("maxmemory", "100"), ("used_memory", "101")], "").starts_with("Problem: 101 of 100 bytes"));
        assert!(one(&[("aof_enabled", "0")], "").starts_with("Problem: nothing is saved"));
        assert!(one(&[("aof_enabled", "0")], "3600 1").starts_with("Advice: there is no append-only file"));
        assert!(one(&[("rdb_last_bgsave_status", "err")], "").starts_with("Problem: the last snapshot failed"));
    }

    #[test]
    fn a_server_without_the_module_is_told_how_to_load_it() {
        assert!(module(None, "0.1.0").unwrap().cure.contains("MODULE LOAD"));
    }
}
