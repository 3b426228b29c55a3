//! Why a window alerted, or didn't: one sentence for each reason, by a code that stays the same.

use eddyline_wire::alert::{Alert, rfc3339};
use eddyline_wire::score::{Score, State};
use serde::Serialize;

/// A reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    /// `alerted`, `unreadable`, `partial`, `excluded`, `warming`, `held_back`, `below_line`, `same_incident`, `not_scored` or
    /// `not_alerted`.
    pub code: &'static str,
    /// In words.
    pub what: String,
}

/// What there is to say about a window.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The score, as it is judged now.
    pub score: &'a Score,
    /// The `p` at the alert line, if it is known.
    pub p_alert: Option<f64>,
    /// Length of a window in ms.
    pub window_ms: u64,
    /// Windows that the baseline knows.
    pub seen: u32,
    /// Why it can't be read.
    pub unreadable: Option<&'a str>,
    /// The score that stands in the stream.
    pub recorded: Option<&'a Score>,
    /// The messages about incidents that were written with it.
    pub alerts: &'a [Alert],
}

/// The reasons, in the order in which they weigh.
#[must_use]
pub fn reasons(facts: &Facts<'_>) -> Vec<Why> {
    let mut reasons: Vec<Why> = facts.alerts.iter().map(alerted).collect();
    let mut say = |code, what| reasons.push(Why { code, what });
    if facts.recorded.is_none() {
        say("not_scored", "no worker has scored it yet; a worker would say what follows".to_owned());
    }
    let Score { score, p, held, .. } = facts.score;
    match facts.score.state {
        State::Unreadable => {
            let why = facts.unreadable.unwrap_or("its schema isn't known");
            say("unreadable", format!("it can't be read, and is left out of the baseline: {why}"));
        }
        State::Partial => {
            say("partial", "only a part of it was observed: such windows are neither judged nor learnt".to_owned());
        }
        State::Excluded => {
            say("excluded", "it lies in a period that was excluded: neither judged nor learnt".to_owned());
        }
        State::Warming { seen, needed } => {
            say("warming", format!("the baseline knew {seen} of {needed} windows: no alerts before it knows all"));
        }
        State::Ready => {
            if let Some(control) = held {
                say("held_back", format!("it would have alerted, but is held back by a control: {control}"));
            } else if *score < 0.5 {
                let line =
                    facts.p_alert.map(|line| format!(", the alert line is {}", how_often(line, facts.window_ms, None)));
                let line = line.unwrap_or_default();
                say(
                    "below_line",
                    format!("an ordinary window scores so {}{line}", how_often(*p, facts.window_ms, Some(facts.seen))),
                );
            } else if facts.alerts.is_empty() && facts.recorded.is_some_and(|recorded| recorded.incident.is_some()) {
                let what = "it belongs to an incident that was told of: there is a new message only for a window that is rarer \
                            by far, more severe or of another cause";
                say("same_incident", what.to_owned());
            } else if facts.alerts.is_empty() && facts.recorded.is_some() {
                let what = "by what is known now it would alert; when it was scored it did not: see both scores";
                say("not_alerted", what.to_owned());
            }
        }
    }
    reasons
}

fn alerted(alert: &Alert) -> Why {
    let reason = alert.reason.as_ref().map(|reason| format!(", {reason}")).unwrap_or_default();
    let what = format!(
        "incident {} since {} was {}{reason}: {}",
        alert.incident,
        rfc3339(alert.since_ms),
        alert.event.as_str(),
        alert.summary
    );
    Why { code: "alerted", what }
}

/// How often a window of this `p` comes about; with `seen` windows known never less often than once in ten times those:
/// more they can't tell.
#[must_use]
pub fn how_often(p: f64, window_ms: u64, seen: Option<u32>) -> String {
    if p >= 0.5 {
        return "in every other window or more".to_owned();
    }
    let window_s = window_ms as f64 / 1000.0;
    let longest = seen.map_or(f64::INFINITY, |seen| 10.0 * f64::from(seen) * window_s);
    let (word, seconds) = match window_s / p.max(1e-12) {
        seconds if seconds > longest => ("less than", longest),
        seconds => ("about", seconds),
    };
    let units =
        [(365.25 * 86_400.0, "years"), (86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds")];
    let (size, unit) = units.into_iter().find(|(size, _)| seconds >= 2.0 * size).unwrap_or((0.001, "ms"));
    format!("{word} once in {:.0} {unit}", seconds / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(score: &Score, recorded: Option<&Score>) -> Vec<&'static str> {
        let facts =
            Facts { score, p_alert: Some(1e-5), window_ms: 1000, seen: 9, unreadable: None, recorded, alerts: &[] };
        reasons(&facts).iter().map(|why| why.code).collect()
    }

    #[test]
    fn every_window_without_an_alert_has_a_reason() {
        let ready = Score { score: 0.2, p: 0.01, state: State::Ready, incident: None, held: None, missed: 0 };
        assert_eq!(codes(&ready, Some(&ready)), ["below_line"]);
        assert_eq!(codes(&ready, None), ["not_scored", "below_line"]);
        let high = Score { score: 0.8, p: 1e-8, ..ready.clone() };
        let held = Score { held: Some("direction".to_owned()), ..high.clone() };
        assert_eq!(codes(&held, Some(&held)), ["held_back"]);
        let within = Score { incident: Some("9f".to_owned()), ..high.clone() };
        assert_eq!(codes(&high, Some(&within)), ["same_incident"]);
        assert_eq!(codes(&high, Some(&ready)), ["not_alerted"]);
        for (state, code) in [
            (State::Warming { seen: 40, needed: 60 }, "warming"),
            (State::Unreadable, "unreadable"),
            (State::Partial, "partial"),
            (State::Excluded, "excluded"),
        ] {
            let score = Score::not_judged(state);
            assert_eq!(codes(&score, Some(&score)), [code]);
        }
    }

    #[test]
    fn chances_are_told_as_times() {
        let told = [0.9, 0.1, 1.0 / 7200.0, 1e-12].map(|p| how_often(p, 1000, None));
        assert_eq!(
            told,
            [
                "in every other window or more",
                "about once in 10 seconds",
                "about once in 2 hours",
                "about once in 31688 years"
            ]
        );
        let known = [1e-2, 1e-12].map(|p| how_often(p, 1000, Some(720)));
        assert_eq!(known, ["about once in 100 seconds", "less than once in 2 hours"]);
    }
}
