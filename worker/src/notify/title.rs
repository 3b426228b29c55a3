//! One line for a person.

use eddyline_wire::alert::Alert;
use eddyline_wire::text::utf8;

/// Monitors that are named.
const NAMED: usize = 3;
const LONGEST_NAME: usize = 64;
const LONGEST: usize = 256;

/// Which monitors, and what is wrong with the worst: `alerts` are of some of the `incidents`, the worst first.
pub(super) fn title<'a>(mut alerts: impl Iterator<Item = &'a Alert>, incidents: u64) -> String {
    let Some(worst) = alerts.next() else { return format!("{incidents} incidents") };
    let mut names: Vec<String> = Vec::new();
    for alert in std::iter::once(worst).chain(alerts) {
        let name = utf8(alert.monitor.as_bytes(), LONGEST_NAME);
        if names.len() < NAMED && !names.contains(&name) {
            names.push(name);
        }
    }
    let more = incidents.saturating_sub(names.len() as u64);
    let who = match more {
        0 => names.join(", "),
        1 => format!("{} and 1 more", names.join(", ")),
        more => format!("{} and {more} more", names.join(", ")),
    };
    utf8(format!("{who}: {}", worst.summary).as_bytes(), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(monitor: &str, summary: &str) -> Alert {
        let golden: Alert = serde_json::from_str(include_str!("../../../crates/wire/fixtures/alert.json")).unwrap();
        Alert { monitor: monitor.to_owned(), summary: summary.to_owned(), ..golden }
    }

    #[test]
    fn the_worst_monitors_are_named_and_the_rest_counted() {
        let all: Vec<Alert> = ["pay", "cart", "search", "mail"].map(|name| alert(name, "pay is slow")).to_vec();
        assert_eq!(title(all[..1].iter(), 1), "pay: pay is slow");
        assert_eq!(title(all[..3].iter(), 3), "pay, cart, search: pay is slow");
        assert_eq!(title(all.iter(), 4), "pay, cart, search and 1 more: pay is slow");
        assert_eq!(title(all.iter(), 200), "pay, cart, search and 197 more: pay is slow");
    }

    #[test]
    fn a_line_is_never_long() {
        let all = [alert(&"é".repeat(500), &"x".repeat(1000)), alert(&"b".repeat(500), "")];
        let line = title(all.iter(), 7);
        assert!(line.len() <= LONGEST + 3 && line.contains("and 5 more: x"), "{line}");
    }
}
