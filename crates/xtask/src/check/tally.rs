//! How many tests passed and failed, by what their runners print.

use std::fmt;
use std::ops::AddAssign;

/// Tests that passed, and that failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

impl Tally {
    /// Of a line that sums up a run of cargo, pytest, node or one of our own tools; nothing of any other.
    pub(super) fn of_line(line: &str) -> Self {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")) {
            return match rest.split_once(' ').map(|(word, number)| (word, number.parse())) {
                Some(("pass", Ok(passed))) => Self { passed, failed: 0 },
                Some(("fail", Ok(failed))) => Self { passed: 0, failed },
                _ => Self::default(),
            };
        }
        let is_cargo = line.starts_with("test result: ");
        let is_pytest = line.trim_matches(['=', ' ']).ends_with('s') && line.contains(" in ");
        if !is_cargo && !is_pytest && !Self::is_own(line) {
            return Self::default();
        }
        let words: Vec<&str> = line.split([' ', ',', ';', '=']).filter(|word| !word.is_empty()).collect();
        let mut tally = Self::default();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u64>() else { continue };
            match pair[1] {
                "passed" => tally.passed += number,
                "failed" | "error" | "errors" => tally.failed += number,
                _ => {}
            }
        }
        tally
    }

    /// `N passed, N failed`
    fn is_own(line: &str) -> bool {
        let number = |text: &str, word: &str| text.strip_suffix(word).is_some_and(|text| text.parse::<u64>().is_ok());
        line.split_once(", ").is_some_and(|(passed, failed)| number(passed, " passed") && number(failed, " failed"))
    }

    /// A suite that counted nothing is one test, and one that fails has at least one that failed.
    pub(super) fn of_suite(self, is_success: bool) -> Self {
        match (is_success, self) {
            (true, Self { passed: 0, failed: 0 }) => Self { passed: 1, failed: 0 },
            (false, Self { passed, failed: 0 }) => Self { passed, failed: 1 },
            _ => self,
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn every_runner_is_understood() {
        for (line, passed, failed) in [
            ("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 1.20s", 12, 0),
            ("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out", 3, 2),
            ("======== 2 failed, 40 passed, 1 skipped, 1 error in 12.34s ========", 40, 3),
            ("40 passed in 0.50s", 40, 0),
            ("# pass 7", 7, 0),
            ("ℹ fail 2", 0, 2),
            ("8 passed, 1 failed", 8, 1),
        ] {
            assert_eq!(Tally::of_line(line), Tally { passed, failed }, "{line}");
        }
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in
            ["", "5 passed, in the end 3 failed", "it passed 3 times", "# passing 3", "ok 3 - it works", "3 passed"]
        {
            assert_eq!(Tally::of_line(line), Tally::default(), "{line}");
        }
    }

    #[test]
    fn what_counts_nothing_is_one_and_a_failure_is_never_lost() {
        let tally = |passed, failed| Tally { passed, failed };
        assert_eq!(tally(0, 0).of_suite(true), tally(1, 0));
        assert_eq!(tally(0, 0).of_suite(false), tally(0, 1));
        assert_eq!(tally(9, 0).of_suite(false), tally(9, 1));
        assert_eq!(tally(9, 2).of_suite(false), tally(9, 2));
    }
}
