//! From a fingerprint to what is written about it: its score and the messages about incidents. Live, offline and in
//! tests it is this one function.

use crate::judging::announce::{self, Announced, Judged};
use crate::judging::identity::Identity;
use crate::judging::judge::{Judge, NamedSchema, Unreadable};
use crate::judging::translate;
use eddyline_wire::alert::Alert;
use eddyline_wire::fingerprint::Fingerprint;
use eddyline_wire::score::{Score, State};
use std::sync::Arc;

/// The score of the next fingerprint, and the messages that it calls for given what was `announced`. Without `announced`
/// the fingerprint was scored before: it is learnt and nothing is said. One of a window that was observed only in part is
/// neither judged nor learnt.
///
/// # Errors
/// A fingerprint that can't be judged; nothing was learnt.
pub fn results(
    judge: &mut Judge,
    mut announced: Option<&mut Vec<Announced>>,
    identity: &Identity,
    fingerprint: &Fingerprint,
    schema: &Arc<NamedSchema>,
) -> Result<(Score, Vec<Alert>), Unreadable> {
    if fingerprint.partial {
        // The rest of it was missed, so it can't be told from a window in which things went missing.
        return Ok((Score::not_judged(State::Partial), Vec::new()));
    }
    let schema_changed = judge.would_start_anew(schema);
    let verdict = judge.judge(fingerprint, schema)?;
    let judged = Judged {
        end_ms: fingerprint.end_ms,
        window_ms: schema.record.window_ms,
        change: verdict.change.as_ref(),
        open: judge.open(),
        schema_changed,
    };
    if let Some(announced) = &mut announced {
        announce::redate(announced, &judged);
    }
    let incident = verdict.incident.map(|opened| {
        let known = announced.as_ref().and_then(|announced| announce::known_as(announced, opened));
        known.unwrap_or_else(|| identity.incident(opened))
    });
    let alerts = announced.map(|announced| announce::messages(announced, &judged, identity)).unwrap_or_default();
    let score = Score {
        // -0 reads badly in redis-cli
        score: verdict.score + 0.0,
        p: verdict.p,
        state: translate::state(verdict.state),
        incident,
        held: verdict.held.map(|held| held.as_str().to_owned()),
        missed: 0,
    };
    Ok((score, alerts))
}
