//! A monitor as bytes and back: the payload of its RDB entry, and what its digest is taken of.
//!
//! A version byte, then sections. Each version keeps the sections of those before it as they were and adds one; what an
//! older payload lacks is as it was before there was such a thing.

use crate::fields::Fields;
use crate::hashed::Hashed;
use crate::last::LastWindow;
use crate::monitor::{Monitor, State};
use crate::source::{Known, Source};
use crate::tally::Passed;
use serde::{Deserialize, Serialize};

/// Version of the encoding; every older one loads.
pub const ENCODING: u8 = 2;

/// Why bytes aren't a monitor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Written by a newer release.
    #[error("the monitor was written in encoding version {0}, this release reads up to {ENCODING}: upgrade the module")]
    Version(u8),
    /// No bytes at all, or not those of a monitor.
    #[error("the monitor's bytes are truncated or corrupt")]
    Corrupt,
    /// Bytes of a monitor that can't have come about.
    #[error("the monitor's state contradicts itself: {0}")]
    Impossible(&'static str),
}

/// What version 2 added.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Second {
    hashed: Hashed,
    paused: bool,
    interrupted: bool,
    streams: Vec<Known>,
    passed: Passed,
    last: Option<LastWindow>,
}

/// The same, for writing.
#[derive(Serialize)]
struct SecondOf<'a> {
    hashed: &'a Hashed,
    paused: bool,
    interrupted: bool,
    streams: Vec<Known>,
    passed: &'a Passed,
    last: Option<&'a LastWindow>,
}

impl Monitor {
    /// The monitor as bytes: equal monitors give equal bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let second = SecondOf {
            hashed: &self.definition.hashed,
            paused: self.paused,
            interrupted: self.interrupted,
            streams: self.sources.iter().map(|source| source.stream).collect(),
            passed: &self.left_out.passed,
            last: match &self.state {
                State::Learning(_) => None,
                State::Counting(window) => Some(&window.last),
            },
        };
        postcard::to_extend(&(self, second), vec![ENCODING]).expect("plain values always serialise")
    }

    /// Reads what [`Monitor::encode`] of this or an older release wrote.
    ///
    /// # Errors
    /// Bytes of a newer version, truncated, corrupt, or of a state that can't have come about.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (&version, rest) = bytes.split_first().ok_or(DecodeError::Corrupt)?;
        if !(1..=ENCODING).contains(&version) {
            return Err(DecodeError::Version(version));
        }
        let (mut monitor, mut rest): (Self, _) = postcard::take_from_bytes(rest).map_err(|_| DecodeError::Corrupt)?;
        let mut second = Second::default();
        if version >= 2 {
            (second, rest) = postcard::take_from_bytes(rest).map_err(|_| DecodeError::Corrupt)?;
        } else {
            let known = |source: &Source| Known { newest: source.cursor, ..Known::default() };
            second.streams = monitor.sources.iter().map(known).collect();
        }
        if !rest.is_empty() {
            return Err(DecodeError::Corrupt);
        }
        monitor.add_second(second, version < 2)?;
        monitor.check().map_err(DecodeError::Impossible)?;
        monitor.restore_schema();
        Ok(monitor)
    }

    fn add_second(&mut self, second: Second, before_it: bool) -> Result<(), DecodeError> {
        if second.streams.len() != self.sources.len() {
            return Err(DecodeError::Impossible("as many streams as sources"));
        }
        for (source, stream) in self.sources.iter_mut().zip(second.streams) {
            source.stream = stream;
        }
        (self.paused, self.interrupted) = (second.paused, second.interrupted);
        self.definition.hashed = second.hashed;
        self.left_out.passed = second.passed;
        match (&mut self.state, second.last) {
            (State::Learning(_), None) => Ok(()),
            (State::Counting(window), Some(last)) => {
                window.last = last;
                Ok(())
            }
            (State::Counting(window), None) if before_it => {
                if !window.fields.is_sane(&self.definition) {
                    return Err(DecodeError::Impossible(FIELDS));
                }
                window.last = LastWindow::new(&window.fields);
                Ok(())
            }
            _ => Err(DecodeError::Impossible("a last window")),
        }
    }

    /// Whether the parts of a decoded monitor fit together.
    fn check(&self) -> Result<(), &'static str> {
        self.definition.check().map_err(|_| "definition out of limits")?;
        let named = |(source, name): (&Source, &Vec<u8>)| source.name == *name;
        if self.sources.len() != self.definition.sources.len()
            || !self.sources.iter().zip(&self.definition.sources).all(named)
        {
            return Err("sources that aren't the definition's");
        }
        if !self.following && self.sources.is_empty() {
            return Err("nothing to follow");
        }
        if !self.timeline.is_sane(self.definition.window_ms) {
            return Err("a window that isn't aligned");
        }
        let features = match &self.state {
            State::Learning(learner) if learner.is_sane() => None,
            State::Learning(_) => return Err("learning out of limits"),
            State::Counting(window) => {
                let fields: &Fields = &window.fields;
                if !fields.is_sane(&self.definition) || !window.is_sane() {
                    return Err(FIELDS);
                }
                Some(fields.features())
            }
        };
        if !self.outbox.is_sane(features, self.definition.window_ms) || self.left_out.len() > 128 {
            return Err("an outbox out of limits");
        }
        if self.last.as_ref().is_some_and(|last| Some(last.values.len()) != features) {
            return Err("a last window of another length");
        }
        Ok(())
    }
}

const FIELDS: &str = "sketches that don't fit the fields";
