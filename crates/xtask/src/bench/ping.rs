//! How long a `PING` takes, one after the other.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use eddyline_testkit::Server;

use crate::stop;

/// Between two pings.
const PAUSE: Duration = Duration::from_micros(500);

/// The longest `PING` in ms, as long as `lasts` says so.
pub(super) fn longest_ms(server: &Server, mut lasts: impl FnMut() -> Result<bool>) -> Result<f64> {
    let mut connection = server.connection()?;
    let mut longest = Duration::ZERO;
    while lasts()? {
        stop::check()?;
        let start = Instant::now();
        redis::cmd("PING").exec(&mut connection)?;
        longest = longest.max(start.elapsed());
        thread::sleep(PAUSE);
    }
    Ok(longest.as_secs_f64() * 1e3)
}

/// The same, for some time.
pub(super) fn longest_ms_within(server: &Server, time: Duration) -> Result<f64> {
    let end = Instant::now() + time;
    longest_ms(server, || Ok(Instant::now() < end))
}
