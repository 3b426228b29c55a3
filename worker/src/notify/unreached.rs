//! Monitors on servers of a cluster that don't answer: they wait, and the others aren't held up by them.

use crate::notify::reading::AT_ONCE;
use crate::store::connect::told;
use redis::RedisError;
use std::collections::BTreeSet;
use tracing::{info, warn};

/// Monitors whose server didn't answer when they were looked at last.
#[derive(Debug, Default)]
pub(super) struct Unreached(BTreeSet<Vec<u8>>);

impl Unreached {
    /// Those of `monitors` to look at now: of the unreached ones as many as are looked at at once, so that all of them
    /// together take no longer than one that doesn't answer. They come last.
    pub(super) fn pass(&self, monitors: BTreeSet<Vec<u8>>) -> Vec<Vec<u8>> {
        let (waiting, mut all): (Vec<_>, Vec<_>) = monitors.into_iter().partition(|monitor| self.has(monitor));
        all.extend(waiting.into_iter().take(AT_ONCE));
        all
    }

    /// Whether a monitor wasn't reached when it was looked at last.
    pub(super) fn has(&self, monitor: &[u8]) -> bool {
        self.0.contains(monitor)
    }

    /// A monitor's server doesn't answer.
    pub(super) fn miss(&mut self, monitor: Vec<u8>, error: &RedisError) {
        if self.0.is_empty() {
            warn!("notifications about monitors of a server that doesn't answer wait: {}", told(error));
        }
        self.0.insert(monitor);
    }

    /// A monitor's server answers: maybe the others' does as well.
    pub(super) fn reach(&mut self, monitor: &[u8]) {
        if self.0.remove(monitor) {
            self.0.clear();
            info!("a server answers again, notifications about its monitors go out");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::ErrorKind;

    fn names(range: std::ops::Range<usize>) -> BTreeSet<Vec<u8>> {
        range.map(|i| format!("{i:04}").into_bytes()).collect()
    }

    #[test]
    fn of_those_that_were_not_reached_a_few_are_tried_and_one_that_is_reached_speaks_for_all() {
        let mut unreached = Unreached::default();
        let gone = RedisError::from((ErrorKind::Io, "gone"));
        names(0..500).into_iter().for_each(|monitor| unreached.miss(monitor, &gone));
        let pass = unreached.pass(names(0..600));
        assert_eq!(pass.len(), 100 + AT_ONCE);
        assert_eq!(pass[0], b"0500", "those that answer come first");
        unreached.reach(b"0550");
        assert_eq!(unreached.pass(names(0..500)).len(), AT_ONCE);
        unreached.reach(b"0000");
        assert_eq!(unreached.pass(names(0..500)).len(), 500);
    }
}
