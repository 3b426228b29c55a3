//! What the doctor says.

use super::code::Code;
use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something doesn't work, or data will be lost.
    Problem,
    /// It works, and could be better.
    Advice,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What it is.
    pub code: Code,
    /// `server`, or the name of a monitor.
    pub about: String,
    /// What is the case.
    pub what: String,
    /// What to do about it.
    pub cure: String,
}

impl Finding {
    /// Something doesn't work, or data will be lost.
    pub fn problem(code: Code, about: &str, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { level: Level::Problem, code, about: about.to_owned(), what: what.into(), cure: cure.into() }
    }

    /// It works, and could be better.
    pub fn advice(code: Code, about: &str, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { level: Level::Advice, ..Self::problem(code, about, what, cure) }
    }
}

/// What findings about the server as a whole are about.
pub const SERVER: &str = "server";
