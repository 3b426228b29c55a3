//! The page: every drawing with its incidents as a table.

use super::{Chart, escaped, svg};
use crate::replay::incidents::Incident;
use crate::replay::report::span;
use std::fmt::Write as _;

const STYLE: &str = include_str!("style.css");
const PAGE: &str = include_str!("page.css");

/// A longer table of incidents is folded.
const SHOWN: usize = 40;

/// What the colours mean; the drawing doesn't rest on them alone, since the table says the same.
const KEY: [(&str, &str); 6] = [
    ("score", r#"<path class="score" d="M0 9L5 4L9 8L14 2"/>"#),
    ("alert line", r#"<path class="line" d="M0 6H14"/>"#),
    ("warning", r#"<rect class="warning" width="14" height="12"/>"#),
    ("critical", r#"<rect class="critical" width="14" height="12"/>"#),
    ("labelled fault", r#"<rect class="fault" width="14" height="12"/>"#),
    ("learning", r#"<rect class="learning" width="14" height="12"/>"#),
];

/// The whole page.
pub(super) fn page(charts: &[Chart<'_>]) -> String {
    let name = match charts {
        [one] => one.name.clone(),
        many => format!("{} series", many.len()),
    };
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>eddyline replay: {name}</title>\n<style>\n{STYLE}{PAGE}</style>\n</head>\n\
         <body>\n<h1>Replay of {name}</h1>\n<ul class=\"key\">",
        name = escaped(&name)
    );
    for (what, sample) in KEY {
        let _ = write!(out, "<li><svg viewBox=\"0 0 14 12\" aria-hidden=\"true\">{sample}</svg>{what}</li>");
    }
    out.push_str("</ul>\n");
    for (nth, chart) in charts.iter().enumerate() {
        if charts.len() > 1 {
            let _ = writeln!(out, "<h2>{}</h2>", escaped(&chart.name));
        }
        let _ = writeln!(out, "<p>{}</p>", escaped(&svg::description(chart)));
        out.push_str(&svg::figure(chart, nth));
        table(&mut out, chart);
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn table(out: &mut String, chart: &Chart<'_>) {
    let incidents = chart.incidents();
    if incidents.is_empty() {
        return;
    }
    let label = if chart.faults.is_some() { "<th>label</th>" } else { "" };
    let is_long = incidents.len() > SHOWN;
    if is_long {
        let _ = writeln!(out, "<details><summary>{} incidents</summary>", incidents.len());
    }
    let _ = writeln!(
        out,
        "<div class=\"table\"><table>\n<tr><th>since</th><th>lasted</th><th>severity</th><th>score</th><th>rarity</th>{label}\
         <th>what</th></tr>"
    );
    for incident in &incidents {
        row(out, chart, incident);
    }
    out.push_str(if is_long { "</table></div></details>\n" } else { "</table></div>\n" });
}

fn row(out: &mut String, chart: &Chart<'_>, incident: &Incident<'_>) {
    let Incident { peak, end_ms, over, .. } = incident;
    let lasted = span(end_ms.saturating_sub(peak.since_ms));
    let open = if *over { "" } else { " so far" };
    let severity = peak.severity.as_str();
    let label = match chart.fault_during(peak.since_ms, *end_ms) {
        Some(Some(fault)) if fault.what.is_empty() => "<td>fault</td>".to_owned(),
        Some(Some(fault)) => format!("<td>{}</td>", escaped(&fault.what)),
        Some(None) => "<td>–</td>".to_owned(),
        None => String::new(),
    };
    let _ = writeln!(
        out,
        "<tr><td>{}</td><td>{lasted}{open}</td><td class=\"{severity}\">{severity}</td><td>{:.2}</td><td>{}</td>{label}\
         <td>{}</td></tr>",
        chart.when(peak.since_ms),
        peak.score,
        escaped(&peak.rarity),
        escaped(&peak.summary)
    );
}
