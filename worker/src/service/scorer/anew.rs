//! Streams that somebody deleted while a worker was at work, and began anew.

use super::{Scorer, State};
use crate::store::connect::Connection;
use crate::store::stream;
use eddyline_wire::command::EntryId;
use eddyline_wire::text::printable;
use redis::RedisResult;
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// While nothing comes, it is looked this often.
const EVERY: Duration = Duration::from_secs(10);

impl Scorer {
    /// Looks, where nothing is new, whether both streams still end where they did. Says whether the state is of use.
    pub(super) async fn look_for_streams(&mut self, connection: &mut Connection, state: &State) -> RedisResult<bool> {
        if self.streams_seen.is_some_and(|seen| seen.elapsed() < EVERY) {
            return Ok(true);
        }
        self.streams_seen = Some(Instant::now());
        let scored = stream::last_id(connection, &self.keys.scores()).await?;
        if scored != state.scored {
            warn!(monitor = self.name, had = %state.scored, has = %scored, "the scores aren't where they were left");
            return Ok(false);
        }
        let written = stream::last_id(connection, &self.keys.fingerprints()).await?;
        if written == EntryId::default() || written >= scored {
            if self.began_anew.is_over() {
                info!(monitor = self.name, "the stream of fingerprints goes on behind the last score");
            }
        } else if self.began_anew.is_news("older") {
            let [scores, incidents] = [self.keys.scores(), self.keys.incidents()].map(|key| printable(&key, 128));
            warn!(
                monitor = self.name, ends = %written, %scored,
                "the stream of fingerprints was deleted and filled with windows older than the last score: they aren't \
                 scored, later ones will be; to have them scored, DEL '{scores}' '{incidents}'"
            );
        }
        Ok(true)
    }
}
