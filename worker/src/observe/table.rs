//! Every metric in one table, which the exporter, the documents and the Grafana files are checked against.

use super::names;

/// What a metric does over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Grows, from 0 when the worker starts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values by size: `_bucket`, `_sum` and `_count`.
    Histogram,
}

impl Kind {
    /// As Prometheus calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A label, and its values where they are known beforehand.
pub type Label = (&'static str, &'static [&'static str]);

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// What it tells, in one sentence.
    pub help: &'static str,
    /// Its labels.
    pub labels: &'static [Label],
    /// Upper ends of a histogram's buckets, in seconds.
    pub buckets: &'static [f64],
}

/// From a hundredth of what a slow one takes to what nobody waits for.
const WORK: &[f64] = &[0.000_01, 0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0];
/// Around the second that is the bar, up to an hour: a backlog after an outage.
const LAGS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0];
/// What receivers take, up to the longest time-out.
const CALLS: &[f64] = &[0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];

const fn counter(name: &'static str, labels: &'static [Label], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, help, labels, buckets: &[] }
}

const fn gauge(name: &'static str, labels: &'static [Label], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, help, labels, buckets: &[] }
}

const fn histogram(
    name: &'static str,
    labels: &'static [Label],
    buckets: &'static [f64],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Histogram, help, labels, buckets }
}

/// All of them.
pub const METRICS: &[Metric] = &[
    gauge(names::BUILD, &[("version", &[])], "1, with the version of this program."),
    gauge(names::CONNECTED, &[], "Whether there is a connection to Redis, 0 or 1."),
    counter(names::DISCONNECTS, &[], "Connections to Redis that were lost."),
    counter(names::REDIS_ERRORS, &[("code", &[])], "Replies that were errors, by their first word."),
    gauge(
        names::MONITORS,
        &[("state", &["starting", "warming", "ready", "degraded", "elsewhere"])],
        "Monitors by what their detection is up to; elsewhere is another worker's.",
    ),
    gauge(names::LEFT_OUT, &[], "Monitors that are left to other workers, because there are more than one may have."),
    counter(names::LEASES, &[("change", &["taken", "lost", "released"])], "Monitors taken over, lost and given back."),
    counter(names::SCORED, &[], "Fingerprints that got a score."),
    counter(
        names::NOT_JUDGED,
        &[("reason", &["unreadable", "partial", "excluded"])],
        "Fingerprints that were left out of the baseline, by reason.",
    ),
    counter(names::MISSED, &[], "Windows that were trimmed from their stream before they were read."),
    counter(
        names::HELD_BACK,
        &[("reason", &["direction", "deviation", "schedule", "feedback"])],
        "Windows that would have alerted but for a control, by reason.",
    ),
    histogram(names::LAG, &[], LAGS, "From the end of a window to its score in Redis, in seconds."),
    histogram(names::SCORING, &[], WORK, "Judging one window, in seconds."),
    histogram(names::LEARNING, &[], WORK, "Learning one window, fits included, in seconds."),
    counter(
        names::CHECKPOINTS,
        &[("outcome", &["written", "resumed", "refused"])],
        "Checkpoints of what was learnt, by what became of them.",
    ),
    counter(names::DEGRADED, &[("reason", &[])], "Models that failed or took too long, by reason."),
    counter(
        names::ALERTS,
        &[("event", &["opened", "updated", "resolved"]), ("severity", &["warning", "critical"])],
        "Messages about incidents, by what happened and how severe it is.",
    ),
    counter(names::UNSAID, &[], "Messages about incidents that their stream didn't take."),
    gauge(names::OPEN, &[], "Incidents that are open on this worker's monitors."),
    counter(
        names::NOTIFICATIONS,
        &[("event", &["opened", "updated", "resolved"])],
        "Notifications made, one for incidents that come about together.",
    ),
    counter(
        names::NOT_NOTIFIED,
        &[("reason", &["budget"])],
        "Incidents that weren't told when they opened, by reason.",
    ),
    counter(
        names::DELIVERIES,
        &[("sink", &[]), ("outcome", &["delivered", "retried", "dead", "left_out", "panicked"])],
        "Deliveries to sinks; dead ones stand in the stream {eddyline}:dead-letters.",
    ),
    histogram(names::DELIVERY, &[("sink", &[])], CALLS, "One delivery, in seconds."),
    gauge(names::WAITING, &[("sink", &[])], "Notifications that wait for a sink."),
    counter(names::ENTRIES, &[], "Entries of streams that this worker counted in place of the module."),
    counter(
        names::ENTRIES_LEFT_OUT,
        &[("reason", &["late", "out-of-time", "skipped", "trimmed"])],
        "Of those, entries that counted nothing, by reason.",
    ),
    counter(
        names::HTTP_REQUESTS,
        &[("status", &["2xx", "3xx", "4xx", "5xx"])],
        "Requests to the gateway, by the class of their status.",
    ),
    histogram(names::HTTP_TIME, &[], CALLS, "From the head of a request to the head of its answer, in seconds."),
    counter(
        names::HTTP_ITEMS,
        &[("outcome", &["accepted", "rejected"])],
        "Items that requests to the gateway had, by whether they were counted.",
    ),
    counter(
        names::HTTP_LEFT_OUT,
        &[("reason", &["late", "feature", "series", "instance"])],
        "Samples of metrics that became part of no vector, by reason.",
    ),
    counter(names::RELOADS, &[("outcome", &["applied", "refused"])], "Reloads of the settings file."),
    gauge(names::RELOADED, &[], "Whether the last reload of the settings file was applied, 0 or 1."),
    gauge(names::RELOADED_AT, &[], "When settings were last applied, in seconds since the epoch."),
    gauge(names::MEMORY, &[], "Memory that the process holds, in bytes."),
    counter(names::CPU, &[], "Time of all processors that the process has used, in seconds."),
    gauge(names::STARTED, &[], "When the process was started, in seconds since the epoch."),
];

impl Metric {
    /// Every combination of its labels' values, where all are known beforehand: one without labels has one. A label that is
    /// `given` has that value alone.
    #[must_use]
    pub fn series<'a>(&self, given: Option<(&'static str, &'a str)>) -> Vec<Vec<(&'static str, &'a str)>> {
        let mut series = vec![Vec::new()];
        for (label, values) in self.labels {
            let given = given.filter(|(given, _)| given == label).map(|(_, value)| [value]);
            let values: &[&'a str] = given.as_ref().map_or(*values, |value| value);
            let with = |known: &Vec<_>| {
                values.iter().map(|value| [&known[..], &[(*label, *value)]].concat()).collect::<Vec<_>>()
            };
            series = series.iter().flat_map(with).collect();
        }
        series
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_is_in_the_table_once() {
        let source = include_str!("names.rs");
        let named: BTreeSet<&str> = source.lines().filter_map(|line| line.split('"').nth(1)).collect();
        let listed: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(listed, named);
        assert_eq!(listed.len(), METRICS.len());
    }

    #[test]
    fn names_say_kind_and_unit_as_prometheus_wants_them() {
        for metric in METRICS {
            assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
            assert_eq!(metric.kind == Kind::Histogram, !metric.buckets.is_empty(), "{}", metric.name);
            assert!(metric.buckets.is_sorted() && metric.help.ends_with('.'), "{}", metric.name);
            if metric.kind == Kind::Histogram {
                assert!(metric.name.ends_with("_seconds"), "{}", metric.name);
            }
        }
    }

    #[test]
    fn series_that_are_known_beforehand_are_all_combinations() {
        let of = |name| METRICS.iter().find(|metric| metric.name == name).unwrap().series(None);
        assert_eq!(of(names::SCORED), [vec![]]);
        assert_eq!(of(names::ALERTS).len(), 6);
        assert_eq!(of(names::DELIVERIES), Vec::<Vec<_>>::new());
        let delivery = METRICS.iter().find(|metric| metric.name == names::DELIVERY).unwrap();
        assert_eq!(delivery.series(Some(("sink", "ops"))), [[("sink", "ops")]]);
    }
}
