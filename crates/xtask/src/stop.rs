//! Ctrl-C, `SIGTERM` and a closed terminal: asked for at every wait, so that what was started is always ended.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

static ASKED: AtomicBool = AtomicBool::new(false);

/// How long after a failure a signal may still turn out to be its cause: a terminal's Ctrl-C goes to every process.
const GRACE: Duration = Duration::from_millis(300);
const TURN: Duration = Duration::from_millis(20);

/// Somebody asked to stop.
#[derive(Debug)]
pub(crate) struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped")
    }
}

impl std::error::Error for Stopped {}

/// From now on signals no longer end this process.
pub(crate) fn listen() -> Result<()> {
    ctrlc::set_handler(|| ASKED.store(true, Ordering::Relaxed)).context("signals can't be caught")
}

/// An error once somebody asked to stop.
pub(crate) fn check() -> Result<()> {
    if ASKED.load(Ordering::Relaxed) { bail!(Stopped) } else { Ok(()) }
}

/// Waits for `time`, or until somebody asks to stop.
pub(crate) fn sleep(time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    loop {
        check()?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(TURN));
    }
}

/// Whether a failure is due to a signal.
pub(crate) fn caused(error: &anyhow::Error) -> bool {
    error.is::<Stopped>() || sleep(GRACE).is_err()
}
