//! What Redis refuses: said once, however many monitors it hits, and once more when it is over.

use crate::observe::names;
use crate::store::connect::{code, told};
use eddyline_wire::text::printable;
use redis::RedisError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use tracing::{debug, info, warn};

/// Troubles of the server or the user, whichever key was asked for.
const OF_ALL: [&str; 12] = [
    "BUSY",
    "CLUSTERDOWN",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "NOAUTH",
    "NOPERM",
    "NOREPLICAS",
    "OOM",
    "READONLY",
    "io",
    "timeout",
];

/// What is refused now: to whom, by the trouble.
#[derive(Debug, Default)]
pub struct Troubles(Mutex<BTreeMap<String, BTreeSet<Vec<u8>>>>);

impl Troubles {
    /// A monitor met this error.
    pub fn meet(&self, monitor: &[u8], error: &RedisError) {
        let code = code(error);
        count(code);
        let text = told(error);
        let shown = printable(monitor, 128);
        let trouble = if OF_ALL.contains(&code) { code.to_owned() } else { format!("{shown}: {text}") };
        let mut troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One trouble at a time: what it was before is over, and not because it works.
        troubles.retain(|known, monitors| *known == trouble || !monitors.remove(monitor) || !monitors.is_empty());
        let monitors = troubles.entry(trouble).or_default();
        let is_news = monitors.is_empty();
        if monitors.insert(monitor.to_vec()) {
            if is_news {
                warn!(monitor = shown, "trying again every second: {text}");
            } else {
                debug!(monitor = shown, "trying again every second: {text}");
            }
        }
    }

    /// A monitor's work goes on, or is none of ours any more.
    pub fn over(&self, monitor: &[u8]) {
        let mut troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        troubles.retain(|trouble, monitors| {
            let is_last = monitors.remove(monitor) && monitors.is_empty();
            if is_last {
                info!(monitor = printable(monitor, 128), "works again after {trouble}");
            }
            !is_last
        });
    }
}

/// Counts an error under its code.
pub fn count(code: &'static str) {
    metrics::counter!(names::REDIS_ERRORS, "code" => code).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::ErrorKind;

    #[test]
    fn a_trouble_of_the_server_is_one_however_many_monitors_it_hits() {
        let troubles = Troubles::default();
        let gone = RedisError::from((ErrorKind::Io, "gone"));
        let odd = RedisError::from((ErrorKind::UnexpectedReturnType, "odd"));
        for monitor in [b"a", b"b"] {
            troubles.meet(monitor, &gone);
            troubles.meet(monitor, &gone);
        }
        let known = || troubles.0.lock().unwrap().len();
        assert_eq!(known(), 1);
        troubles.meet(b"a", &odd);
        troubles.meet(b"b", &odd);
        assert_eq!(known(), 2, "each its own, and the first is over");
        troubles.over(b"a");
        troubles.over(b"b");
        assert_eq!(known(), 0);
    }
}
