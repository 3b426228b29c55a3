//! The settings read again while the worker runs: what can change does, a file that can't be read changes nothing.

use super::load::{Loaded, Sources};
use super::{Fixed, Live};
use crate::logs::Levels;
use crate::observe::names;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::watch;
use tracing::{error, info, warn};

/// Reads them again when asked to.
#[derive(Debug)]
pub struct Reloader {
    sources: Sources,
    fixed: Fixed,
    live: watch::Sender<Arc<Live>>,
    levels: Levels,
}

impl Reloader {
    /// Begins with settings that were just loaded, `fixed` and those in `live`.
    #[must_use]
    pub fn new(sources: Sources, fixed: Fixed, live: watch::Sender<Arc<Live>>, levels: Levels) -> Self {
        succeeded();
        Self { sources, fixed, live, levels }
    }

    /// Reads them again. Whoever watches them hears of it only if they changed.
    pub fn reload(&self) {
        let Some(file) = &self.sources.file else {
            info!("there is nothing to read again: the worker was started without --config");
            return;
        };
        let Loaded { config, .. } = match self.sources.load() {
            Ok(loaded) => loaded,
            Err(faults) => {
                metrics::counter!(names::RELOADS, "outcome" => "refused").increment(1);
                metrics::gauge!(names::RELOADED).set(0.0);
                error!("the settings stay as they were: {faults}");
                return;
            }
        };
        for key in self.fixed.differences(&config.fixed) {
            warn!(key, "needs a restart of the worker; until then it stays as it was");
        }
        self.levels.set(&config.live.log);
        let changed = self.live.send_if_modified(|live| {
            let changed = **live != config.live;
            *live = Arc::new(config.live);
            changed
        });
        metrics::counter!(names::RELOADS, "outcome" => "applied").increment(1);
        succeeded();
        info!(file = %file.display(), changed, "settings read again");
    }
}

fn succeeded() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    metrics::gauge!(names::RELOADED).set(1.0);
    metrics::gauge!(names::RELOADED_AT).set(now.as_secs_f64());
}

impl Fixed {
    /// The keys in which the two differ.
    fn differences(&self, other: &Self) -> impl Iterator<Item = &'static str> {
        let pairs = [
            ("redis", self.redis_url == other.redis_url),
            ("redis_ca", self.redis_ca == other.redis_ca),
            ("deployment", self.deployment == other.deployment),
            ("listen", self.listen == other.listen),
            ("http.listen", self.http == other.http),
            ("count", self.counted == other.counted),
        ];
        pairs.into_iter().filter(|(_, same)| !same).map(|(key, _)| key)
    }
}
