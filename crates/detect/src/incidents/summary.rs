//! Sentences for a person on call.

use crate::incidents::verdict::{Cause, Direction, Kind};

/// One sentence about the largest cause: what happened, how much, against how much expected.
pub(crate) fn sentence(causes: &[Cause], window_ms: u64) -> String {
    let Some(cause) = causes.first() else { return "unusual, though no single feature stands out".to_owned() };
    let (observed, expected) = (amount(cause.observed), amount(cause.expected));
    let span = match cause.windows {
        0 | 1 => String::new(),
        windows => format!(" in {}", duration(u64::from(windows) * window_ms)),
    };
    let counted = format!("{observed} observed{span}, {expected} expected");
    // A histogram's words are `peer pay: latency_ms 256-1024`.
    let (who, values) = cause.what.split_once(": ").unwrap_or((&cause.what, ""));
    let calls = format!("{observed} calls with {values}{span}, {expected} expected");
    let band = format!("{observed}, usually {} to {}", amount(cause.low), amount(cause.high));
    let what = &cause.what;
    let histogram = !values.is_empty();
    match (cause.kind, cause.direction) {
        (Kind::Latency, _) if histogram => format!("{who} is slow: {calls}"),
        (Kind::Latency, _) => format!("{what} is above usual: {band}"),
        (Kind::Faster, _) => format!("{who} answers faster than usual: {calls}"),
        (Kind::Errors, _) => format!("error burst, {what}: {counted}"),
        (Kind::Vanished, _) => format!("{what} has vanished: {counted}"),
        (Kind::NewItem, _) if cause.feature.ends_with(":new") => format!("many {what}: {band}"),
        (Kind::NewItem, _) => format!("{what} is new: {counted}"),
        (Kind::Silence, _) => {
            let (lasts, usual) = (duration(u64::from(cause.windows) * window_ms), duration(window_ms));
            format!("silence: nothing observed in {lasts}, usually {expected} in {usual}")
        }
        (Kind::FlatLine, _) => {
            let lasts = duration(u64::from(cause.windows) * window_ms);
            format!("flat line: {what} at exactly {observed} for {lasts}, which always moved")
        }
        (Kind::Missing, _) => {
            let lasts = duration(u64::from(cause.windows) * window_ms);
            format!("missing: {what} without a value for {lasts}")
        }
        (Kind::TrafficUp, _) => format!("traffic is above usual: {band}"),
        (Kind::TrafficDown, _) => format!("traffic is below usual: {band}"),
        (Kind::Share, Direction::Up) if histogram => format!("{who} is unusual: {calls}"),
        (Kind::Share, Direction::Down) if histogram => format!("{who} is unusual: only {calls}"),
        (Kind::Share, Direction::Up) => format!("{what} is busier than usual: {counted}"),
        (Kind::Share, Direction::Down) => format!("{what} is quieter than usual: {counted}"),
        (Kind::OutOfRange, _) => format!("{what} is out of range: {observed}"),
        (Kind::Feature, Direction::Up) => format!("{what} above usual: {band}"),
        (Kind::Feature, Direction::Down) => format!("{what} below usual: {band}"),
    }
}

/// How rare a window of this `p` is, in words, with a history of so many windows: never longer than ten times that.
pub(crate) fn rarity(p: f64, window_ms: u64, windows: u32) -> String {
    let longest = 10.0 * f64::from(windows) * window_ms as f64;
    let every = window_ms as f64 / p;
    if every > longest {
        format!("less than once in {}", duration(longest as u64))
    } else {
        format!("about once in {}", duration(every as u64))
    }
}

/// A number as a person would say it.
fn amount(value: f64) -> String {
    match value.abs() {
        size if size >= 10.0 || size == 0.0 => format!("{value:.0}"),
        size if size >= 1.0 => trim(&format!("{value:.1}")),
        size if size >= 0.01 => trim(&format!("{value:.2}")),
        _ => "almost 0".to_owned(),
    }
}

fn trim(number: &str) -> String {
    number.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A time span in its largest unit that is at least two of it.
fn duration(ms: u64) -> String {
    let units = [(86_400_000, "days"), (3_600_000, "hours"), (60_000, "minutes"), (1_000, "s")];
    match units.into_iter().find(|(size, _)| ms >= 2 * size) {
        Some((size, name)) => format!("{} {name}", (ms + size / 2) / size),
        None => format!("{ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(kind: Kind, what: &str, observed: f64, expected: f64) -> Cause {
        Cause {
            kind,
            feature: "peer*latency_ms".to_owned(),
            what: what.to_owned(),
            direction: if observed > expected { Direction::Up } else { Direction::Down },
            expected,
            low: expected * 0.8,
            high: expected * 1.25,
            observed,
            windows: 1,
            share: 1.0,
            items: Vec::new(),
        }
    }

    #[test]
    fn sentences_have_their_golden_text() {
        let say = |cause: Cause| sentence(&[cause], 1_000);
        assert_eq!(
            say(cause(Kind::Latency, "peer pay: latency_ms 256-1024", 41.0, 0.3)),
            "peer pay is slow: 41 calls with latency_ms 256-1024, 0.3 expected"
        );
        assert_eq!(
            say(Cause { windows: 3, ..cause(Kind::Vanished, "endpoint /cart", 0.0, 36.4) }),
            "endpoint /cart has vanished: 0 observed in 3 s, 36 expected"
        );
        assert_eq!(
            say(cause(Kind::Errors, "service pay, status 500", 45.0, 1.53)),
            "error burst, service pay, status 500: 45 observed, 1.5 expected"
        );
        assert_eq!(
            say(cause(Kind::TrafficDown, "traffic", 12.0, 150.0)),
            "traffic is below usual: 12, usually 120 to 188"
        );
        assert_eq!(
            say(cause(Kind::Share, "endpoint /a", 60.0, 30.0)),
            "endpoint /a is busier than usual: 60 observed, 30 expected"
        );
        assert_eq!(say(cause(Kind::Feature, "f07", 0.931, 0.2)), "f07 above usual: 0.93, usually 0.16 to 0.25");
        assert_eq!(
            say(Cause { windows: 3, ..cause(Kind::Silence, "traffic", 0.0, 150.0) }),
            "silence: nothing observed in 3 s, usually 150 in 1000 ms"
        );
        assert_eq!(
            say(Cause { windows: 480, ..cause(Kind::FlatLine, "f07", 0.93, 0.93) }),
            "flat line: f07 at exactly 0.93 for 8 minutes, which always moved"
        );
        assert_eq!(
            say(Cause { windows: 5, ..cause(Kind::Missing, "all 8 features", 0.0, 0.0) }),
            "missing: all 8 features without a value for 5 s"
        );
        assert_eq!(sentence(&[], 1_000), "unusual, though no single feature stands out");
    }

    #[test]
    fn rarity_never_claims_more_than_ten_times_the_history() {
        assert_eq!(rarity(1.0 / 11_880.0, 10_000, 100_000), "about once in 33 hours");
        assert_eq!(rarity(1e-12, 10_000, 360), "less than once in 10 hours");
        assert_eq!(rarity(0.01, 1_000, 3_600), "about once in 100 s");
    }
}
