//! Fingerprints that were kept, judged as a worker would.

use super::ReplayError;
use super::outcome::{Outcome, Window};
use crate::judging::announce::Announced;
use crate::judging::choices::Choices;
use crate::judging::identity::Identity;
use crate::judging::judge::{Judge, NamedSchema};
use crate::judging::results::results;
use eddyline_wire::fingerprint::Fingerprint;
use std::sync::Arc;

/// A judge that knows nothing yet, and what it made of the fingerprints so far.
#[derive(Debug)]
pub struct Court {
    judge: Judge,
    identity: Identity,
    announced: Vec<Announced>,
    /// What came out.
    pub outcome: Outcome,
}

impl Court {
    /// Under these choices; `identity` names the incidents.
    #[must_use]
    pub fn new(choices: Choices, identity: Identity) -> Self {
        Self { judge: Judge::new(choices), identity, announced: Vec::new(), outcome: Outcome::default() }
    }

    /// Judges the next fingerprint and learns from it.
    ///
    /// # Errors
    /// One that can't be judged.
    pub fn hear(&mut self, fingerprint: &Fingerprint, schema: &Arc<NamedSchema>) -> Result<(), ReplayError> {
        let judged = results(&mut self.judge, Some(&mut self.announced), &self.identity, fingerprint, schema);
        let (score, alerts) = judged.map_err(|error| ReplayError::Judge(fingerprint.end_ms, error.to_string()))?;
        self.outcome.alerts.extend(alerts);
        self.outcome.windows.push(Window { end_ms: fingerprint.end_ms, score });
        Ok(())
    }
}
