//! What is wrong with the settings: every fault at once, each by its place and key, with what is allowed.

use super::origin::Origin;
use std::fmt;
use std::path::Path;

/// More than this many are counted only.
const MOST_TOLD: usize = 20;

/// One thing that is wrong. Shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    place: Option<String>,
    key: String,
    why: String,
}

impl Fault {
    /// Of a key of the file.
    pub(super) fn at(file: &Path, line: usize, key: &str, why: impl Into<String>) -> Self {
        Self { place: Some(format!("{}:{line}", file.display())), key: key.to_owned(), why: why.into() }
    }

    /// Of the file as a whole.
    pub(super) fn of_file(file: &Path, why: impl Into<String>) -> Self {
        Self { place: None, key: file.display().to_string(), why: why.into() }
    }

    /// Of what the environment or a flag says; by default of the key itself.
    pub(super) fn of_given(origin: &Origin, key: &str, why: impl Into<String>) -> Self {
        let name = match origin {
            Origin::Environment(name) | Origin::Flag(name) => name,
            Origin::Default | Origin::File(_) => key,
        };
        Self { place: None, key: name.to_owned(), why: why.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.why)
    }
}

/// Everything that is wrong; never nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub(super) Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [fault] = &self.0[..] {
            return fault.fmt(f);
        }
        write!(f, "{} things are wrong with the settings", self.0.len())?;
        for fault in self.0.iter().take(MOST_TOLD) {
            write!(f, "\n  {fault}")?;
        }
        if let Some(more @ 1..) = self.0.len().checked_sub(MOST_TOLD) {
            write!(f, "\n  and {more} more")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fault_is_one_line_and_many_are_counted() {
        let fault = Fault::at(Path::new("a.toml"), 3, "listen", "no");
        assert_eq!(Faults(vec![fault.clone()]).to_string(), "a.toml:3: listen: no");
        let many = Faults(vec![fault; 25]).to_string();
        assert_eq!(many.lines().count(), 22, "{many}");
        assert!(many.starts_with("25 things are wrong") && many.ends_with("and 5 more"), "{many}");
    }
}
