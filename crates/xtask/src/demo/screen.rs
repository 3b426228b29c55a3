//! What the demo prints: first steps with the seconds they took, then the shop's faults beside eddyline's alerts.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use anyhow::Result;
use eddyline_wire::alert::{Alert, Event, Severity};
use eddyline_wire::keys::ALERTS;

use super::alerts::Heard;
use super::faults::Fault;
use super::judge::{About, Finding, Judge};
use super::stage::MONITOR;

const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const BLUE: &str = "36";
const BOLD: &str = "1";
const DIM: &str = "2";

/// Standard output, with colours where it is a terminal and nobody minds them.
pub(super) struct Screen {
    start: Instant,
    /// When the live part began, ms since the epoch; at the end of time as long as it hasn't.
    live_ms: u64,
    /// Where the dashboard is, once the live part has begun.
    dashboard: String,
    colours: bool,
}

impl Screen {
    pub(super) fn new() -> Self {
        let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { start: Instant::now(), live_ms: u64::MAX, dashboard: String::new(), colours }
    }

    /// A step of the preparation is done, or begins.
    pub(super) fn step(&self, what: &str) -> Result<()> {
        line(&format!("{:>6.1} s  {what}", self.start.elapsed().as_secs_f64()))
    }

    /// The shop is live from `live_ms` on.
    pub(super) fn live(&mut self, live_ms: u64, dashboard: &str, port: u16) -> Result<()> {
        self.live_ms = live_ms;
        dashboard.clone_into(&mut self.dashboard);
        self.step("live, with windows of 1 s; something breaks every half a minute")?;
        line("")?;
        line(&format!("  look yourself:  {}", self.paint(BOLD, dashboard)))?;
        line(&format!("                  redis-cli -p {port} SUBSCRIBE {ALERTS}"))?;
        line(&format!("                  redis-cli -p {port} EDDY.FINGERPRINT {MONITOR}"))?;
        line("  Ctrl-C ends it all\n")
    }

    pub(super) fn broke(&self, fault: &Fault) -> Result<()> {
        self.moment(fault.start_ms, "BROKEN", BLUE, &self.paint(BOLD, &fault.broken.to_string()))
    }

    pub(super) fn mended(&self, fault: &Fault) -> Result<()> {
        self.moment(fault.end_ms, "MENDED", BLUE, &format!("{} is as before", fault.broken.culprit()))
    }

    /// What eddyline says, beside what is broken.
    pub(super) fn alert(&self, heard: &Heard, about: &About, findings: &[Finding]) -> Result<()> {
        let alert = &heard.alert;
        if alert.event == Event::Resolved {
            let reason = alert.reason.as_deref().unwrap_or("resolved");
            return self.moment(heard.at_ms, "resolved", GREEN, &format!("{reason}, {} windows in all", alert.windows));
        }
        let (word, colour) = match alert.severity {
            Severity::Warning => ("warning", YELLOW),
            Severity::Critical => ("critical", RED),
        };
        let summary = match alert.event {
            Event::Opened => self.paint(BOLD, &alert.summary),
            _ => format!("update: {}", alert.summary),
        };
        self.moment(heard.at_ms, word, colour, &summary)?;
        let bearing = match about {
            About::Fault { number, after_ms, .. } => {
                format!("{} after the break: {}", seconds(*after_ms), findings[*number].fault.broken)
            }
            About::Aftermath { number } => format!("just after: {}", findings[*number].fault.broken),
            About::Nothing if alert.window_end_ms < self.live_ms => {
                "in the history, where nothing was broken".to_owned()
            }
            About::Nothing => "nothing is broken".to_owned(),
        };
        self.detail(&format!("{} · {bearing}", alert.rarity))?;
        if alert.event == Event::Opened && !self.dashboard.is_empty() {
            self.detail(&format!("{}#/incidents/{}", self.dashboard, alert.incident))?;
        }
        if let About::Fault { number, named_by: Some(cause), .. } = about {
            let culprit = findings[*number].fault.broken.culprit();
            self.detail(&format!(
                "cause {cause} of {} names {culprit}: {}",
                alert.causes.len(),
                because(alert, cause - 1)
            ))
        } else {
            self.detail(&format!("cause 1 of {}: {}", alert.causes.len(), because(alert, 0)))
        }
    }

    /// The outcome: each fault, then all in one line.
    pub(super) fn outcome(&self, judge: &Judge) -> Result<()> {
        line("")?;
        for finding in &judge.findings {
            let fault = &finding.fault.broken;
            let how = match (finding.alerted_ms, finding.named_ms) {
                (Some(alerted), Some(named)) => {
                    format!(
                        "{} after {}, {} named after {}",
                        self.paint(GREEN, "found "),
                        seconds(alerted),
                        fault.culprit(),
                        seconds(named)
                    )
                }
                (Some(alerted), None) => {
                    format!(
                        "{} alert after {}, but {} not named",
                        self.paint(RED, "missed"),
                        seconds(alerted),
                        fault.culprit()
                    )
                }
                (None, _) => format!("{} no alert while it lasted", self.paint(RED, "missed")),
            };
            line(&format!("  {:<18} {how}", fault.kind()))?;
        }
        for alert in &judge.false_alarms {
            line(&format!("  {} {}", self.paint(YELLOW, &format!("{:<18}", "false alarm")), alert.summary))?;
        }
        let ((found, median), all) = (judge.found(), judge.findings.len());
        let median = median.map_or(String::new(), |median| format!(", median delay {}", seconds(median)));
        line(&format!("\n  {found} found, {} missed, {} false alarms{median}", all - found, judge.false_alarms.len()))
    }

    /// A line of the live part: minutes and seconds since it began, a word, a text.
    fn moment(&self, at_ms: u64, word: &str, colour: &str, text: &str) -> Result<()> {
        let live = at_ms.saturating_sub(self.live_ms) / 1000;
        line(&format!("  {:02}:{:02}  {}  {text}", live / 60, live % 60, self.paint(colour, &format!("{word:<8}"))))
    }

    fn detail(&self, text: &str) -> Result<()> {
        line(&format!("{:19}{}", "", self.paint(DIM, text)))
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A cause in words, with its largest items.
fn because(alert: &Alert, number: usize) -> String {
    const ITEMS: usize = 3;
    let Some(cause) = alert.causes.get(number) else { return "none given".to_owned() };
    let mut text = format!("{} {} against {} expected", cause.what, amount(cause.observed), amount(cause.expected));
    let there = cause.items.iter().filter(|item| item.count > 0);
    let items: Vec<String> = there.take(ITEMS).map(|item| format!("{} {}", item.item, item.count)).collect();
    if !items.is_empty() {
        text.push_str(" · items: ");
        text.push_str(&items.join(", "));
    }
    text
}

/// A number with as many digits as tell something.
fn amount(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 || number.fract() == 0.0 => format!("{number:.0}"),
        size if size >= 1.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

fn seconds(ms: u64) -> String {
    format!("{:.1} s", ms as f64 / 1000.0)
}

/// Standard output may be gone (a closed terminal, `| head`): then everything ends as after any error.
fn line(text: &str) -> Result<()> {
    Ok(writeln!(io::stdout(), "{text}")?)
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn numbers_have_as_many_digits_as_tell_something() {
        let shown: Vec<String> = [0.004, 0.25, 5.0, 46.94, 812.04].into_iter().map(amount).collect();
        assert_eq!(shown, ["0.00", "0.25", "5", "46.9", "812"]);
    }
}
