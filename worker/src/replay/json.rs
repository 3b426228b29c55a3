//! The report for machines: one JSON object, with what [`super::report`] and [`super::vector_report`] say to people.
//! Figures that there are none of are null.

use super::incidents::{Incident, incidents};
use super::quality::{Quality, quality};
use super::report::Report;
use super::tally::Tally;
use super::vector_report::{Figures, VectorReport, warming};
use super::vectors::Judged;
use eddyline_measures::rows::Ranking;
use eddyline_wire::alert::Alert;
use serde_json::{Value, json};
use std::time::Duration;

/// The report on events.
#[must_use]
pub fn events(report: &Report<'_>) -> Value {
    let window_ms = report.plan.create.window_ms;
    let quality = report.labels.map(|labels| quality(&report.outcome.ready(), window_ms, labels));
    let mut object = reading(report.tally, report.took, "events");
    object["file"] = json!(report.plan.file);
    object["window_ms"] = json!(window_ms);
    object["windows"] = json!(report.outcome.windows.len());
    object["warming"] = json!(warming(report.outcome));
    object["incidents"] = found(&report.outcome.alerts);
    object["quality"] = quality.as_ref().map_or(Value::Null, event_quality);
    object
}

/// The report on vectors.
#[must_use]
pub fn vectors(report: &VectorReport<'_>) -> Value {
    let replayed = report.replayed;
    let mut object = reading(&replayed.tally, replayed.took, "vectors");
    object["files"] = replayed.files.iter().map(|(path, _)| json!(path)).collect();
    object["series"] = replayed.judged.iter().map(series).collect();
    object["all"] = figures(&Figures::of(&replayed.judged));
    object
}

fn reading(tally: &Tally, took: Duration, what: &str) -> Value {
    let troubles = tally.troubles.iter();
    let troubles: Value =
        troubles.map(|(what, (rows, line))| json!({"what": what.what(), "rows": rows, "first_line": line})).collect();
    let (first, last) = tally.span.unzip();
    json!({what: tally.events, "seconds": took.as_secs_f64(), "first_ms": first, "last_ms": last, "troubles": troubles})
}

fn series(judged: &Judged) -> Value {
    let Judged { series, outcome, .. } = judged;
    let mut object = figures(&Figures::of(std::slice::from_ref(judged)));
    object["name"] = json!(series.name);
    object["features"] = json!(series.width());
    object["period_ms"] = json!(series.period_ms());
    object["warming"] = json!(warming(outcome));
    object["realised"] = json!(judged.quality.as_ref().map(|quality| quality.realised));
    object["incidents"] = found(&outcome.alerts);
    object
}

fn figures(figures: &Figures) -> Value {
    let labelled = figures.labelled.as_ref().map(|labelled| {
        let measure = |of: fn(&Ranking) -> f64| labelled.ranking.as_ref().map(of);
        json!({
            "vus_pr": measure(|ranking| ranking.vus_pr),
            "event_f1": measure(|ranking| ranking.event_f1),
            "auroc": measure(|ranking| ranking.auroc),
            "average_precision": measure(|ranking| ranking.average_precision),
            "incidents": labelled.incidents,
            "found": labelled.found,
            "median_delay_s": labelled.median_delay_s,
            "false_openings_a_day": labelled.false_openings_a_day,
            "within_three_times": labelled.within_three_times,
        })
    });
    json!({
        "rows": figures.rows,
        "openings": figures.openings,
        "openings_a_day": figures.openings_a_day,
        "quality": labelled,
    })
}

/// The incidents that messages tell of.
fn found(alerts: &[Alert]) -> Value {
    let incident = |incident: &Incident<'_>| {
        let Incident { peak, opened_end_ms, end_ms, over } = incident;
        json!({
            "since_ms": peak.since_ms,
            "opened_end_ms": opened_end_ms,
            "end_ms": end_ms,
            "over": over,
            "severity": peak.severity,
            "score": peak.score,
            "rarity": peak.rarity,
            "summary": peak.summary,
            "causes": peak.causes,
        })
    };
    incidents(alerts).iter().map(incident).collect()
}

fn event_quality(quality: &Quality) -> Value {
    let ranking = |ranking: &super::quality::Ranking| {
        json!({
            "windows": ranking.windows,
            "positive": ranking.positive,
            "auroc": ranking.auroc,
            "average_precision": ranking.average_precision,
        })
    };
    let alarms = &quality.alarms;
    json!({
        "published": ranking(&quality.published),
        "without_suspect": quality.without_suspect.as_ref().map(ranking),
        "visible": alarms.visible,
        "found": alarms.found,
        "found_within_60_s": alarms.found_at_once,
        "median_delay_s": alarms.median_delay_s,
        "false_openings": alarms.false_openings,
        "false_alarms": alarms.false_alarms,
        "quiet_hours": alarms.quiet_hours,
    })
}
