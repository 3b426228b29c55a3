//! Where a value is from. What comes later counts more: default, file, environment, flag.

use super::secret::Secret;
use std::fmt;

/// Where a value is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody chose it.
    Default,
    /// This line of the file, from 1.
    File(usize),
    /// This environment variable.
    Environment(String),
    /// This flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(line) => write!(f, "line {line}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// What is said of a key outside of the file. Any of it may be a secret.
#[derive(Debug, Clone)]
pub struct Given {
    /// The key, as in the file.
    pub key: String,
    /// Its values; more than one where a flag may be repeated.
    pub values: Vec<Secret>,
    /// Where they are from; never the file.
    pub origin: Origin,
}
