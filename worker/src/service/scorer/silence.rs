//! What is told of a monitor without a fingerprint: that its vectors stopped coming, and the end of an incident that no
//! vector will bring.

use super::{Scorer, State, now_ms};
use crate::judging::announce::{self, Announced};
use crate::judging::overdue as judging;
use crate::store::connect::Connection;
use crate::store::{end, overdue};
use eddyline_wire::alert::Alert;
use eddyline_wire::command::EntryId;
use eddyline_wire::vector::PERIOD;
use redis::RedisResult;
use tracing::info;

impl Scorer {
    /// Tells, once, that vectors stopped coming, or that this is no incident any more. Says whether the state is still of use.
    pub(super) async fn look_for_silence(
        &mut self,
        connection: &mut Connection,
        state: &mut State,
    ) -> RedisResult<bool> {
        if let Some((known, reason)) = self.over(state) {
            return self.end(connection, state, &known, reason).await;
        }
        if self.settings.lost_period() {
            return Ok(true);
        }
        let Some(series) = state.judge.series().filter(|_| state.learnt == state.scored) else { return Ok(true) };
        let window_ms = series.schema.record.window_ms;
        if !self.settings.choices().may_open(now_ms().saturating_sub(window_ms), now_ms()) {
            return Ok(true);
        }
        let look = self.overdue.look(connection, &self.keys, state.scored, window_ms, now_ms());
        let Some(silence) = look.await?.filter(|silence| !silence.is_told(&state.announced)) else { return Ok(true) };
        if self.settings.choices().controls.is_called_normal(&silence.cause(), now_ms()) {
            return Ok(true);
        }
        let Some(lease) = self.holding.lease() else { return Ok(false) };
        let alert = silence.message(&state.announced, state.said, &self.identity);
        let due_ms = alert.window_end_ms;
        let told = overdue::tell(connection, &self.keys, lease.token(), silence.last, due_ms, state.retention, &alert);
        match told.await? {
            overdue::Outcome::Told => self.tell(state, &alert),
            overdue::Outcome::Fenced => {
                self.lose_lease();
                return Ok(false);
            }
            overdue::Outcome::NotNow => {}
        }
        Ok(true)
    }

    /// Ends what is open of a monitor that has no period any more, before it is left for good.
    pub(super) async fn look_for_end(&mut self, connection: &mut Connection) -> RedisResult<()> {
        let Some(mut state) = self.state.take().filter(|state| !state.is_counted) else { return Ok(()) };
        if !state.announced.is_empty() {
            self.settings.forget_look();
            self.settings.look(connection, &self.keys.settings(), &self.name).await?;
            if let Some((known, reason)) = self.over(&state)
                && !self.end(connection, &mut state, &known, reason).await?
            {
                return Ok(());
            }
        }
        self.state = Some(state);
        Ok(())
    }

    /// An incident that is over though no vector says so, and why.
    fn over(&self, state: &State) -> Option<(Announced, String)> {
        if self.settings.lost_period() {
            let why = format!("nobody expects vectors any more: the monitor's settings have no {PERIOD}");
            return state.announced.last().map(|known| (known.clone(), why));
        }
        // Of others the next window says it.
        let silent = state.announced.iter().rfind(|known| judging::is_about_silence(&known.alert))?;
        let said = self.settings.choices().controls.resolved_by(silent.opened_end_ms(), now_ms())?;
        Some((silent.clone(), said.to_string()))
    }

    async fn end(
        &mut self,
        connection: &mut Connection,
        state: &mut State,
        known: &Announced,
        reason: String,
    ) -> RedisResult<bool> {
        let Some(lease) = self.holding.lease() else { return Ok(false) };
        let entry = EntryId { seq: state.said.seq.saturating_add(1), ..state.said };
        let alert = announce::ended(known, reason, &self.identity, now_ms(), entry);
        match end::tell(connection, &self.keys, lease.token(), state.said, state.retention, &alert).await? {
            end::Outcome::Told => {
                self.tell(state, &alert);
                Ok(true)
            }
            end::Outcome::Gone => {
                info!(monitor = self.name, incident = alert.incident, "its incidents were deleted while one was open");
                state.announced.clear();
                self.heard.announced.clear();
                Ok(true)
            }
            end::Outcome::Moved => Ok(false),
            end::Outcome::Fenced => {
                self.lose_lease();
                Ok(false)
            }
        }
    }

    /// A message stands that no fingerprint called for.
    fn tell(&mut self, state: &mut State, alert: &Alert) {
        announce::hear(&mut state.announced, alert);
        state.hear(alert);
        self.hear(alert);
    }
}
