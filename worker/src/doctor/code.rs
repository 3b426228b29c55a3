//! What can be wrong, by a code that stays the same while words change: of the doctor and of `/readyz` alike.

use serde::Serialize;
use std::fmt;

macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $name:ident = $code:literal,)+) => {
        /// What is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// As it stands in JSON.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }
        }
    };
}

codes! {
    /// There is no connection to Redis.
    NoRedis = "no_redis",
    /// The server refuses what a worker asks of it.
    RedisRefuses = "redis_refuses",
    /// The module isn't loaded.
    NoModule = "no_module",
    /// The module is older than this program.
    ModuleOlder = "module_older",
    /// The module is newer than this program.
    ModuleNewer = "module_newer",
    /// The server is older than eddyline runs on.
    ServerTooOld = "server_too_old",
    /// The server is a replica.
    IsReplica = "is_replica",
    /// A replica couldn't be looked at.
    ReplicaUnreachable = "replica_unreachable",
    /// The server may evict monitors.
    Evicts = "evicts",
    /// The server's memory is full, or nearly so.
    MemoryFull = "memory_full",
    /// A restart of the server loses something.
    NotSaved = "not_saved",
    /// The server couldn't save.
    SaveFailed = "save_failed",
    /// A user lacks rights that a worker needs.
    NoPermission = "no_permission",
    /// The doctor may not look at something.
    NotLookedAt = "not_looked_at",
    /// Clocks disagree.
    ClockSkew = "clock_skew",
    /// No worker is alive.
    NoWorker = "no_worker",
    /// No worker notifies.
    NoNotifier = "no_notifier",
    /// A sink didn't take notifications.
    SinkFailing = "sink_failing",
    /// Notifications wait for a sink.
    SinkWaiting = "sink_waiting",
    /// The budget of the deployment holds incidents back.
    HeldByBudget = "held_by_budget",
    /// A monitor's name is one whose companions would collide.
    BadName = "bad_name",
    /// A key of a monitor holds something else.
    KeyInTheWay = "key_in_the_way",
    /// A source isn't a stream.
    SourceNotReadable = "source_not_readable",
    /// Closed windows can't be written.
    NotWritten = "not_written",
    /// Nobody counts a monitor that a worker counts in place of the module.
    NotCounted = "not_counted",
    /// A lease never runs out.
    LeaseNeverEnds = "lease_never_ends",
    /// Nobody scores a monitor.
    NotScored = "not_scored",
    /// A worker has a monitor, but doesn't get on.
    Stuck = "stuck",
    /// Windows are older than the last score.
    BeganAnew = "began_anew",
    /// Scores come late.
    Lag = "lag",
    /// A monitor is paused.
    Paused = "paused",
    /// A monitor still finds out what to count.
    Learning = "learning",
    /// The baseline doesn't know enough to alert.
    Warming = "warming",
    /// Nothing happened for five minutes.
    NoEvents = "no_events",
    /// Nothing that was learnt is kept.
    ModelMissing = "model_missing",
    /// Keys of a monitor that is gone.
    LeftBehind = "left_behind",
    /// Fingerprints that belong to no monitor.
    NoMonitor = "no_monitor",
    /// A worker has only just begun.
    Starting = "starting",
    /// A monitor is judged with less than the best.
    Degraded = "degraded",
    /// There are more monitors than a worker takes.
    TooManyMonitors = "too_many_monitors",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_is_its_own() {
        let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        assert!(
            codes.iter().all(|code| code.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase())),
            "{codes:?}"
        );
    }
}
