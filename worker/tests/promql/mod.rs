//! As much of PromQL as tells whether an expression asks for metrics, labels and values that a worker has.

use eddyline_worker::observe::table::{Kind, METRICS, Metric};
use std::collections::BTreeSet;

/// Labels that Prometheus itself sets.
const OUTSIDE: [&str; 2] = ["instance", "job"];

/// The metrics of ours that the expression asks for.
///
/// # Panics
/// If there is no such metric, label or value, or a counter is taken for a gauge.
pub(crate) fn metrics(expr: &str) -> BTreeSet<&'static str> {
    selectors(expr).into_iter().map(|(metric, _)| metric.name).collect()
}

/// The labels that its result may have: those it sums by, or else those of its metrics.
pub(crate) fn labels(expr: &str) -> BTreeSet<String> {
    let grouped: BTreeSet<String> = expr
        .split("by (")
        .skip(1)
        .flat_map(|rest| rest.split(')').next().unwrap().split(','))
        .map(|label| label.trim().to_owned())
        .collect();
    let of_metrics =
        || selectors(expr).into_iter().flat_map(|(metric, _)| metric.labels.iter().map(|(label, _)| *label));
    if !grouped.is_empty() {
        for label in &grouped {
            let known = of_metrics().chain(OUTSIDE).chain(["le"]).any(|known| known == label);
            assert!(known, "{label} is no label of what {expr} sums");
        }
        return grouped;
    }
    of_metrics().chain(OUTSIDE).map(str::to_owned).collect()
}

/// Each metric of ours, with the text of its matchers.
fn selectors(expr: &str) -> Vec<(&'static Metric, String)> {
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let mut found = Vec::new();
    for prefix in ["eddyline_", "process_"] {
        for (at, _) in expr.match_indices(prefix) {
            if expr[..at].ends_with(is_name) {
                continue;
            }
            let name: String = expr[at..].chars().take_while(|c| is_name(*c)).collect();
            let metric = metric(&name).unwrap_or_else(|| panic!("there is no metric {name}: {expr}"));
            let function = expr[..at].rsplit([' ', '(']).nth(1).unwrap_or_default();
            let is_count = metric.kind != Kind::Gauge;
            assert_eq!(is_count, ["rate", "increase"].contains(&function), "{name} in {function}: {expr}");
            let matchers = expr[at + name.len()..].strip_prefix('{').map_or("", |rest| rest.split('}').next().unwrap());
            check(metric, matchers, expr);
            found.push((metric, matchers.to_owned()));
        }
    }
    found
}

fn metric(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| match metric.kind {
        Kind::Histogram => {
            name.strip_prefix(metric.name).is_some_and(|ending| ["_bucket", "_sum", "_count"].contains(&ending))
        }
        _ => metric.name == name,
    })
}

fn check(metric: &Metric, matchers: &str, expr: &str) {
    for matcher in matchers.split(',').filter(|matcher| !matcher.is_empty()) {
        let (label, rest) = matcher.split_once(['=', '!']).unwrap_or_else(|| panic!("{matcher:?}: {expr}"));
        let label = label.trim();
        if OUTSIDE.contains(&label) {
            continue;
        }
        let (_, values) = metric
            .labels
            .iter()
            .find(|(known, _)| *known == label)
            .unwrap_or_else(|| panic!("{} has no label {label}: {expr}", metric.name));
        let asked = rest.trim_start_matches(['=', '~']).trim_matches('"');
        for value in asked.split('|') {
            assert!(values.is_empty() || values.contains(&value), "{label} is never {value}: {expr}");
        }
    }
}
