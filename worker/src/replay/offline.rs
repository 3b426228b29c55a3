//! The embedded way: monitor and judge in this process, no Redis.

use super::ReplayError;
use super::court::Court;
use super::outcome::{Outcome, fingerprint_line};
use super::plan::Plan;
use super::pump::Feed;
use crate::count::translate::{definition, fingerprint, record};
use crate::judging::judge::NamedSchema;
use eddyline_monitor as monitor;
use eddyline_wire::command::EntryId;
use std::sync::Arc;

/// A monitor and its judge.
#[derive(Debug)]
pub struct Offline {
    monitor: monitor::Monitor,
    schema: Option<Arc<NamedSchema>>,
    court: Court,
    keep_fingerprints: bool,
}

impl Offline {
    /// As planned.
    ///
    /// # Errors
    /// A monitor that can't be made.
    pub fn new(plan: &Plan) -> Result<Self, ReplayError> {
        let monitor = monitor::Monitor::new(definition(&plan.create))
            .map_err(|error| ReplayError::Definition(error.to_string()))?;
        Ok(Self {
            monitor,
            schema: None,
            court: Court::new(plan.choices.clone(), plan.identity()),
            keep_fingerprints: plan.fingerprints.is_some(),
        })
    }

    /// Judges what was closed.
    fn drain(&mut self) -> Result<(), ReplayError> {
        while let Some(closed) = self.monitor.outbox() {
            let names = self.monitor.schema().expect("a window closes only under a schema");
            if self.schema.as_ref().is_none_or(|schema| schema.id != names.id) {
                self.schema = Some(Arc::new(NamedSchema { id: names.id, record: record(names) }));
            }
            let schema = self.schema.as_ref().expect("set above");
            let fingerprint = fingerprint(closed, names);
            self.court.hear(&fingerprint, schema)?;
            if self.keep_fingerprints {
                self.court.outcome.fingerprints.push(fingerprint_line(&fingerprint));
            }
            self.monitor.sent(fingerprint.end_ms);
        }
        Ok(())
    }
}

impl Feed for Offline {
    fn event<'a>(
        &mut self,
        id: EntryId,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    ) -> Result<(), ReplayError> {
        let id = monitor::EntryId { ms: id.ms, seq: id.seq };
        if self.monitor.read(0, id, fields.clone()) == monitor::Reading::Waits {
            self.drain()?;
            self.monitor.set_following(true);
            self.monitor.read(0, id, fields);
        }
        if self.monitor.waiting() > 0 {
            self.drain()?;
        }
        Ok(())
    }

    fn close(&mut self, ms: u64) -> Result<(), ReplayError> {
        self.monitor.close(ms);
        self.drain()
    }

    fn finish(mut self) -> Result<Outcome, ReplayError> {
        self.drain()?;
        Ok(self.court.outcome)
    }
}
