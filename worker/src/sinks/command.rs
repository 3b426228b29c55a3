//! `eddyline test-sink`: one notification that is clearly a test, and what became of it.

use super::settings::Receiver;
use super::{Sink, SinkError, make, trial};
use crate::cli::test_sink::TestSinkArgs;
use crate::config::Config;
use anyhow::bail;
use eddyline_wire::notification::Notification;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Sends it and says how it went.
///
/// # Errors
/// Settings that can't be used, or a receiver that didn't take the test.
pub async fn run(args: &TestSinkArgs, config: &Config) -> anyhow::Result<()> {
    let Some(settings) = config.live.sinks.get(&args.sink) else {
        let known: Vec<_> = config.live.sinks.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        bail!("{} has no section [sinks.{}]; its sinks: {known}", args.config.display(), args.sink.escape_debug());
    };
    let sink = make(&args.sink, settings)?;
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64);
    let test = trial::notification(&config.fixed.deployment, &args.sink, now_ms);
    deliver(&*sink, &args.sink, "the test", &test).await?;
    if matches!(settings.receiver, Receiver::PagerDuty(_) | Receiver::Alertmanager(_)) {
        deliver(&*sink, &args.sink, "the end of the test", &trial::end_of(&test)).await?;
    }
    Ok(())
}

async fn deliver(sink: &dyn Sink, name: &str, what: &str, notification: &Notification) -> anyhow::Result<()> {
    let begun = Instant::now();
    match sink.send(notification).await {
        Ok(()) => {
            eprintln!("sink {name} took {what} ({}) in {} ms", notification.id, begun.elapsed().as_millis());
            Ok(())
        }
        Err(SinkError::Later { why, after }) => {
            let asked = after.map(|after| format!(" in {} s", after.as_secs())).unwrap_or_default();
            bail!("sink {name} didn't take {what}: {why}; a worker would try again{asked}")
        }
        Err(SinkError::Never(why)) => bail!("sink {name} refused {what}: {why}; a worker would not try again"),
    }
}
