//! From what a window is worth to what people are told of it.

use super::account::Account;
use super::{FORBIDDEN, Inside};
use crate::controls::feedback::Answer;
use crate::controls::{Broken, Held, gate};
use crate::incidents::incident::{CAUSES, Moment};
use crate::incidents::verdict::{Change, Resolution, Severity, State, Verdict};
use crate::window::Window;

impl Inside {
    /// Neither judges nor learns a window. It ends what is open; the next one follows a gap.
    pub(super) fn leave_out(&mut self, window: &Window) -> Verdict {
        let passed_ms = self.settings.window_ms.saturating_add(window.gap_ms);
        self.left_out_ms = self.left_out_ms.saturating_add(passed_ms);
        if self.event.end(window.end_ms).is_some() {
            self.parts.iter_mut().for_each(|part| part.settle(false));
        }
        let ended = self.watch.end(window.end_ms);
        let incident = ended.as_ref().map(|incident| incident.opened_end_ms);
        let change = ended.map(|incident| Change::Resolved(incident, Resolution::Excluded));
        let (state, severity, causes, held) = (State::Excluded, None, Vec::new(), None);
        Verdict { state, p: 1.0, score: 0.0, severity, causes, change, incident, held }
    }

    /// What people are told of a window: what its numbers call for, within the controls.
    pub(super) fn tell(&mut self, moment: Moment, broken: Broken, account: &Account, state: State) -> Verdict {
        let end_ms = moment.end_ms;
        let is_limit = !broken.causes.is_empty();
        let (mut p, mut score, mut causes) = (moment.p, moment.score, moment.causes.clone());
        if is_limit || broken.forgiven {
            (p, score) = (FORBIDDEN, 1.0);
        }
        if is_limit {
            causes.iter_mut().for_each(|cause| cause.share = 0.0);
            causes.splice(0..0, broken.causes);
            causes.truncate(CAUSES);
        }
        let severity = Severity::of(score);
        let held = severity.and_then(|_| match is_limit {
            true => None,
            false if moment.score < 0.5 => Some(Held::Feedback),
            false => gate::held(&account.weighed, CAUSES, account.left, -self.p_alert().ln()),
        });
        let outside = || self.watch.open().is_none() && !self.settings.is_scheduled(end_ms);
        let held = held.or_else(|| severity.filter(|_| outside()).map(|_| Held::Schedule));

        let before = self.watch.open();
        let over = before.and_then(|opened| self.settings.controls.resolved_by(opened, end_ms));
        let change = match (over, held) {
            (Some(resolution), _) => self.watch.end(end_ms).map(|incident| Change::Resolved(incident, resolution)),
            (None, Some(_)) => {
                let quiet = Moment { p: 1.0, score: 0.0, causes: Vec::new(), ..moment };
                self.watch.step(quiet, &self.settings)
            }
            (None, None) => {
                self.watch.step(Moment { p, score, causes: causes.clone(), is_limit, ..moment }, &self.settings)
            }
        };
        Verdict { state, p, score, severity, causes, change, incident: self.watch.open().or(before), held }
    }

    /// What was said last of the incident that is open.
    pub(super) fn said(&self, end_ms: u64) -> Option<&Answer> {
        let opened = self.watch.open()?;
        self.settings.controls.said_of(opened, end_ms).map(|said| &said.answer)
    }
}
