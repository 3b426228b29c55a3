//! A cursor over a command's arguments, and the one error type of the grammar.

use crate::keys::{MAX_NAME, NameError};
use crate::text::printable;
use std::str::FromStr;

/// Why a command was refused. Displays as a Redis error reply: an upper-case code, then what is allowed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CommandError {
    /// Too few or too many arguments.
    #[error("ERR wrong number of arguments for '{0}' command")]
    Arity(&'static str),
    /// The monitor's name is none.
    #[error("ERR {0}")]
    Name(#[from] NameError),
    /// A word that is no option.
    #[error("ERR unknown option '{0}'. Options are: {1}")]
    UnknownOption(String, &'static str),
    /// An option given twice.
    #[error("ERR option {0} is given twice")]
    Twice(&'static str),
    /// An option without its value.
    #[error("ERR option {0} needs {1}")]
    NeedsValue(&'static str, &'static str),
    /// A value out of its range.
    #[error("ERR {argument} must be {allowed}, got '{got}'")]
    Value {
        /// The argument.
        argument: &'static str,
        /// What is allowed.
        allowed: String,
        /// What was given.
        got: String,
    },
    /// Options that don't go together.
    #[error("ERR {0}")]
    Conflict(String),
}

impl CommandError {
    pub(crate) fn value(argument: &'static str, allowed: impl Into<String>, got: &[u8]) -> Self {
        Self::Value { argument, allowed: allowed.into(), got: printable(got, 64) }
    }
}

/// A cursor over arguments.
#[derive(Debug, Clone)]
pub struct Arguments<'a> {
    command: &'static str,
    rest: &'a [&'a [u8]],
}

impl<'a> Arguments<'a> {
    /// The arguments of `command` (lower case, for messages), without its name.
    #[must_use]
    pub fn new(command: &'static str, arguments: &'a [&'a [u8]]) -> Self {
        Self { command, rest: arguments }
    }

    /// The next argument.
    ///
    /// # Errors
    /// [`CommandError::Arity`] where there is none.
    pub fn required(&mut self) -> Result<&'a [u8], CommandError> {
        self.optional().ok_or(CommandError::Arity(self.command))
    }

    /// The next argument, if there is one.
    pub fn optional(&mut self) -> Option<&'a [u8]> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [&'a [u8]] {
        std::mem::take(&mut self.rest)
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// [`CommandError::Arity`] where something is.
    pub fn end(&self) -> Result<(), CommandError> {
        if self.rest.is_empty() { Ok(()) } else { Err(CommandError::Arity(self.command)) }
    }

    /// The value of `option`: `what` it should be, `allowed` as text, between `range`.
    pub(crate) fn number<T: FromStr + PartialOrd>(
        &mut self,
        option: &'static str,
        range: std::ops::RangeInclusive<T>,
        allowed: &'static str,
    ) -> Result<T, CommandError> {
        let got = self.optional().ok_or(CommandError::NeedsValue(option, allowed))?;
        parse(got).filter(|n| range.contains(n)).ok_or_else(|| CommandError::value(option, allowed, got))
    }

    /// `n` and then `n` names, for list options.
    pub(crate) fn names(&mut self, option: &'static str, most: usize) -> Result<Vec<&'a [u8]>, CommandError> {
        const NEEDS: &str = "a number n and then n names";
        let got = self.optional().ok_or(CommandError::NeedsValue(option, NEEDS))?;
        let n = parse(got)
            .filter(|n| (1..=most).contains(n))
            .ok_or_else(|| CommandError::value(option, format!("1 to {most} names"), got))?;
        let mut names = Vec::with_capacity(n);
        for _ in 0..n {
            let name = self.optional().ok_or(CommandError::NeedsValue(option, NEEDS))?;
            if name.is_empty() || name.len() > MAX_NAME {
                return Err(CommandError::value(option, "names of 1 to 1024 bytes", name));
            }
            if names.contains(&name) {
                return Err(CommandError::value(option, "names that differ", name));
            }
            names.push(name);
        }
        Ok(names)
    }
}

pub(crate) fn parse<T: FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}
