//! What is chosen for each monitor: the choices for all, and those of the sections whose pattern its name matches.

use crate::judging::choices::Choices;
use wildmatch::WildMatch;

/// Choices by monitor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ByMonitor {
    pub(super) defaults: Choices,
    /// In the order of the file; what comes later counts more.
    pub(super) sections: Vec<Section>,
}

/// Choices for the monitors whose name matches.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Section {
    pub(super) pattern: WildMatch,
    /// Names and texts, each good by itself.
    pub(super) choices: Vec<(String, String)>,
}

impl From<Choices> for ByMonitor {
    fn from(defaults: Choices) -> Self {
        Self { defaults, sections: Vec::new() }
    }
}

impl ByMonitor {
    /// The choices for `monitor`, and what of its sections can't be, such as too much of something in all.
    #[must_use]
    pub fn of(&self, monitor: &[u8]) -> (Choices, Vec<String>) {
        let name = String::from_utf8_lossy(monitor);
        let (mut choices, mut wrong) = (self.defaults.clone(), Vec::new());
        for section in self.sections.iter().filter(|section| section.pattern.matches(&name)) {
            for (choice, text) in &section.choices {
                if let Some(Err(why)) = choices.set(choice, text) {
                    wrong.push(format!("'{choice}' of [monitor.\"{}\"]: {why}", section.pattern));
                }
            }
        }
        (choices, wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_sections_count_more() {
        let section = |pattern: &str, budget: &str| Section {
            pattern: WildMatch::new(pattern),
            choices: vec![("budget".to_owned(), budget.to_owned())],
        };
        let sections = vec![section("shop-*", "2"), section("*-pay", "3"), section("shop-?", "4")];
        let all = ByMonitor { defaults: Choices::default(), sections };
        let budget = |monitor: &str| all.of(monitor.as_bytes()).0.budget_per_day;
        let monitors = ["shop-cart", "shop-pay", "shop-1", "cart", "other-pay"];
        assert_eq!(monitors.map(budget), [2.0, 3.0, 4.0, Choices::default().budget_per_day, 3.0]);
        assert_eq!(all.of(b"shop-\xff").0.budget_per_day, 4.0, "bytes that are no text are one character each");
    }
}
