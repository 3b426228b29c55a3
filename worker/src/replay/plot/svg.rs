//! The drawing.

use super::{Chart, axis, escaped};
use crate::replay::incidents::Incident;
use crate::replay::outcome::Window;
use crate::replay::report::span;
use eddyline_measures::rows::ALERT;
use eddyline_wire::score::State;
use std::fmt::Write as _;

const STYLE: &str = include_str!("style.css");

const WIDTH: f64 = 1200.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 64.0;
/// Heights of a chart's parts: its name, the strip of incidents, the scores, the axis.
const NAME: f64 = 26.0;
const STRIP: f64 = 16.0;
const SCORES: f64 = 170.0;
const AXIS: f64 = 34.0;
const HEIGHT: f64 = NAME + STRIP + SCORES + AXIS;
/// Narrower than this nobody could point at it.
const NARROWEST: f64 = 3.0;

/// All charts, one below the other, as a document of its own.
pub(super) fn drawing(charts: &[Chart<'_>]) -> String {
    let height = HEIGHT * charts.len() as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"title\">\n<title id=\"title\">Anomaly scores</title>\n<style>{STYLE}</style>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" class=\"paper\"/>\n"
    );
    for (nth, chart) in charts.iter().enumerate() {
        let _ = writeln!(out, "<g transform=\"translate(0 {})\">", HEIGHT * nth as f64);
        out.push_str(&body(chart, true));
        out.push_str("</g>\n");
    }
    out.push_str("</svg>\n");
    out
}

/// One chart as part of a page, the `nth`.
pub(super) fn figure(chart: &Chart<'_>, nth: usize) -> String {
    let top = NAME;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 {top} {WIDTH} {}\" role=\"img\" \
         aria-labelledby=\"title-{nth} text-{nth}\">\n<title id=\"title-{nth}\">Anomaly scores of {}</title>\n\
         <desc id=\"text-{nth}\">{}</desc>\n{}</svg>\n",
        HEIGHT - top,
        escaped(&chart.name),
        escaped(&description(chart)),
        body(chart, false)
    )
}

/// What there is to see.
pub(super) fn description(chart: &Chart<'_>) -> String {
    let (first, last) = chart.span();
    let (windows, incidents) = (chart.outcome.windows.len(), chart.incidents().len());
    let faults = match chart.faults.as_ref().map(Vec::len) {
        Some(1) => ", 1 labelled fault".to_owned(),
        Some(faults) => format!(", {faults} labelled faults"),
        None => String::new(),
    };
    let plural = if incidents == 1 { "" } else { "s" };
    let length = span(chart.window_ms);
    format!(
        "{windows} windows of {length}, {} to {}: {incidents} incident{plural}{faults}",
        chart.when(first),
        chart.when(last)
    )
}

/// Places of a chart's times and scores.
struct Scale {
    first: u64,
    last: u64,
}

impl Scale {
    fn x(&self, ms: u64) -> f64 {
        let share = ms.clamp(self.first, self.last) - self.first;
        LEFT + share as f64 / (self.last - self.first) as f64 * (WIDTH - LEFT - RIGHT)
    }

    fn y(score: f64) -> f64 {
        NAME + STRIP + SCORES * (1.0 - score.clamp(0.0, 1.0))
    }

    /// Left end and width of a stretch.
    fn stretch(&self, start_ms: u64, end_ms: u64, narrowest: f64) -> (f64, f64) {
        let (start, end) = (self.x(start_ms), self.x(end_ms));
        (start, (end - start).max(narrowest))
    }
}

fn body(chart: &Chart<'_>, with_name: bool) -> String {
    let (first, last) = chart.span();
    let scale = Scale { first, last };
    let mut out = String::new();
    if with_name {
        let _ = writeln!(out, "<text class=\"name\" x=\"{LEFT}\" y=\"18\">{}</text>", escaped(&chart.name));
    }
    frame(&mut out, chart, &scale);
    for fault in chart.faults.iter().flatten() {
        let (x, width) = scale.stretch(fault.start_ms, fault.end_ms, NARROWEST);
        let _ = writeln!(
            out,
            "<rect class=\"fault\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{SCORES}\"><title>labelled fault{} \
             {} to {}</title></rect>",
            NAME + STRIP,
            escaped(&if fault.what.is_empty() { ":".to_owned() } else { format!(" {}:", fault.what) }),
            chart.when(fault.start_ms),
            chart.when(fault.end_ms),
        );
    }
    let incidents = chart.incidents();
    for incident in &incidents {
        let (x, width) = scale.stretch(incident.peak.since_ms, incident.end_ms, 0.5);
        let class = incident.peak.severity.as_str();
        let y = NAME + STRIP;
        let _ = writeln!(
            out,
            "<rect class=\"shade {class}\" x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{SCORES}\"/>"
        );
    }
    let _ = writeln!(out, "<path class=\"score\" d=\"{}\"/>", path(chart, &scale));
    let (y, right) = (Scale::y(ALERT), WIDTH - RIGHT);
    let _ = writeln!(out, "<line class=\"line\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y}\" y2=\"{y}\"/>");
    for incident in &incidents {
        let (x, width) = scale.stretch(incident.peak.since_ms, incident.end_ms, NARROWEST);
        let _ = writeln!(
            out,
            "<rect class=\"incident {}\" x=\"{x:.1}\" y=\"{NAME}\" width=\"{width:.1}\" height=\"11\" rx=\"1.5\"><title>{}\
             </title></rect>",
            incident.peak.severity.as_str(),
            escaped(&told(chart, incident))
        );
    }
    out
}

/// What is told of an incident where one points at it.
fn told(chart: &Chart<'_>, incident: &Incident<'_>) -> String {
    let Incident { peak, end_ms, .. } = incident;
    let lasted = span(end_ms.saturating_sub(peak.since_ms));
    let since = chart.when(peak.since_ms);
    format!("{since}, {lasted}, {} {:.2}, {}: {}", peak.severity.as_str(), peak.score, peak.rarity, peak.summary)
}

/// Rules, marks and the stretch that only taught.
fn frame(out: &mut String, chart: &Chart<'_>, scale: &Scale) {
    let (right, bottom) = (WIDTH - RIGHT, Scale::y(0.0));
    let marks = if chart.has_times {
        axis::times(scale.first, scale.last)
    } else {
        axis::counts(scale.first, scale.last, chart.window_ms)
    };
    for (ms, label) in marks {
        let x = scale.x(ms);
        let top = Scale::y(1.0);
        let _ = writeln!(out, "<path class=\"rule\" d=\"M{x:.1} {top}V{}\"/>", bottom + 4.0);
        let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>", bottom + 18.0);
    }
    for (score, label) in [(0.0, "0"), (ALERT, "0.5"), (0.75, "0.75"), (1.0, "1")] {
        let y = Scale::y(score);
        let _ = writeln!(out, "<path class=\"rule\" d=\"M{LEFT} {y}H{right}\"/>");
        let _ = writeln!(out, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>", LEFT - 6.0, y + 4.0);
    }
    for (score, label) in [(ALERT, "alert"), (0.75, "critical")] {
        let y = Scale::y(score) + 4.0;
        let _ = writeln!(out, "<text class=\"limit\" x=\"{}\" y=\"{y}\">{label}</text>", right + 6.0);
    }
    if let Some(learnt_ms) = chart.learnt_ms() {
        let (x, width) = scale.stretch(scale.first, learnt_ms, 1.0);
        let y = NAME + STRIP;
        let _ = writeln!(
            out,
            "<rect class=\"learning\" x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{SCORES}\"><title>learning, no \
             scores yet: until {}</title></rect>",
            chart.when(learnt_ms)
        );
    }
}

/// The scores, with a break where windows are missing; of many that fall on one place only the lowest and the highest, which
/// is all that could be seen.
fn path(chart: &Chart<'_>, scale: &Scale) -> String {
    let is_ready = |window: &&Window| window.score.state == State::Ready;
    let ready: Vec<&Window> = chart.outcome.windows.iter().filter(is_ready).collect();
    let mut out = String::new();
    for unbroken in ready.chunk_by(|a, b| b.end_ms - a.end_ms <= chart.window_ms * 5 / 2) {
        let placed: Vec<(f64, f64)> =
            unbroken.iter().map(|window| (scale.x(window.end_ms), Scale::y(window.score.score))).collect();
        let mut step = 'M';
        for place in placed.chunk_by(|a, b| a.0.floor() == b.0.floor()) {
            let x = place[0].0;
            let highest = place.iter().map(|(_, y)| *y).fold(f64::INFINITY, f64::min);
            let lowest = place.iter().map(|(_, y)| *y).fold(f64::NEG_INFINITY, f64::max);
            let _ = write!(out, "{step}{x:.1} {lowest:.1}");
            if highest < lowest {
                let _ = write!(out, "V{highest:.1}");
            }
            step = 'L';
        }
        if step == 'L' && placed.len() == 1 {
            // a lone window would leave no mark
            out.push_str("h1");
        }
    }
    out
}
