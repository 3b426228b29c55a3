//! The answer for a person at a terminal.

use super::answer::{Answer, Feature, Judgement};
use super::past::Basis;
use super::picture;
use std::io::{self, Write};

/// Features told; JSON has more.
const FEATURES: usize = 20;
/// What has less than this share isn't worth a line.
const WORTH: f64 = 0.005;

/// Tells it.
///
/// # Errors
/// Nobody reads it.
pub fn tell(answer: &Answer, out: &mut impl Write) -> io::Result<()> {
    let Answer { monitor, window, judged, .. } = answer;
    writeln!(
        out,
        "{}: window {}, {} to {}, {} observations",
        plain(monitor),
        window.id,
        window.start,
        window.end,
        window.n
    )?;
    if window.gap_ms > 0 {
        writeln!(out, "before it {} ms are missing", window.gap_ms)?;
    }
    writeln!(out, "{}", worth(judged))?;
    if let (Some((this, line)), Some(p_alert)) = (&answer.how_often, answer.p_alert) {
        writeln!(out, "such windows come {this}; the alert line is at p {p_alert:.1e}, {line}")?;
    }
    if let Some(recorded) = answer.recorded.as_ref().filter(|recorded| differs(recorded, judged)) {
        writeln!(out, "when it was scored: {}", worth(recorded))?;
        writeln!(out, "  the two differ where the stream no longer holds all that was learnt then")?;
    }
    writeln!(out, "\n  {}", picture::row(&answer.recent))?;
    writeln!(
        out,
        "  the last {} windows, this one on the right; ▅ and higher alert, · wasn't judged\n",
        answer.recent.len()
    )?;
    for why in &answer.why {
        writeln!(out, "{}: {}", why.code, plain(&why.what))?;
    }
    features(&answer.features, out)?;
    writeln!(out, "\n{}", basis(&answer.basis))
}

fn differs(recorded: &Judgement, judged: &Judgement) -> bool {
    recorded.state != judged.state || (recorded.p - judged.p).abs() > 1e-6 * judged.p || recorded.held != judged.held
}

fn worth(judgement: &Judgement) -> String {
    let Judgement { state, score, p, severity, held, missed, incident } = judgement;
    let mut text = format!("{state}: score {score:.3}, p {p:.1e}");
    let more = [
        severity.map(str::to_owned),
        held.as_ref().map(|control| format!("held back by {control}")),
        (*missed > 0).then(|| format!("{missed} windows before it were trimmed unread")),
        incident.as_ref().map(|id| format!("incident {id}")),
    ];
    for part in more.into_iter().flatten() {
        text.push_str(", ");
        text.push_str(&part);
    }
    text
}

fn features(features: &[Feature], out: &mut impl Write) -> io::Result<()> {
    let told: Vec<&Feature> = features.iter().take(FEATURES).filter(|feature| feature.share >= WORTH).collect();
    if told.is_empty() {
        return writeln!(out, "\nno feature stands out");
    }
    let widest = told.iter().map(|feature| feature.what.chars().count()).max().unwrap_or_default().clamp(7, 48);
    writeln!(out, "\nshare  {:widest$}  {:>10}  {:>10}  ordinary", "feature", "observed", "expected")?;
    for feature in &told {
        let Feature { share, what, observed, expected, low, high, windows, items, .. } = feature;
        let what = plain(what);
        let (observed, expected) = (number(*observed), number(*expected));
        let band = format!("{} to {}", number(*low), number(*high));
        let span = if *windows > 1 { format!("  (over {windows} windows)") } else { String::new() };
        write!(out, "{:>4.0}%  {what:widest$}  {observed:>10}  {expected:>10}  {band}{span}", 100.0 * share)?;
        let items: Vec<String> = items.iter().take(5).map(|item| format!("{} {}", item.item, item.count)).collect();
        if items.is_empty() {
            writeln!(out)?;
        } else {
            writeln!(out, "  [{}]", plain(&items.join(", ")))?;
        }
    }
    match features.len() - told.len() {
        0 => Ok(()),
        more => writeln!(out, "and {more} more with small shares: --json has them"),
    }
}

/// Items come from outside: nothing of theirs may steer a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Four digits, as estimates have no more.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 || size == 0.0 => format!("{value:.0}"),
        size if size >= 1.0 => trimmed(&format!("{value:.2}")),
        size if size >= 0.001 => trimmed(&format!("{value:.4}")),
        _ => format!("{value:.1e}"),
    }
}

fn trimmed(number: &str) -> String {
    number.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn basis(basis: &Basis) -> String {
    let Basis { checkpoint, without_checkpoint, windows, first, not_judged } = basis;
    let mut text = match (checkpoint, first) {
        (Some(id), _) => format!("judged from the checkpoint after {id} and {windows} windows since"),
        (None, Some(first)) => {
            format!("judged from the {windows} windows that the stream holds before it, from {first} on")
        }
        (None, None) => "judged with nothing known before it: it is the first window of the stream".to_owned(),
    };
    if let Some(why) = without_checkpoint {
        text.push_str(&format!("; no checkpoint helped: {why}"));
    }
    if *not_judged > 0 {
        text.push_str(&format!("; {not_judged} of them couldn't be read"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_short() {
        let told = [0.0, 12_345.678, 12.345_6, 40.0, 0.123_456, -0.000_012].map(number);
        assert_eq!(told, ["0", "12346", "12.35", "40", "0.1235", "-1.2e-5"]);
    }
}
