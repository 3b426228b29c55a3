//! What is absent from a window, as causes of an alert.

use crate::absence::silence::Silence;
use crate::absence::still::{Absent, Still, Stopped};
use crate::incidents::cause::in_words;
use crate::incidents::verdict::{Cause, Direction, Kind};
use crate::layout::{Block, Layout};
use crate::settings::Settings;
use crate::window::Window;
use serde::{Deserialize, Serialize};

/// A silence rarer than this is what an alert about an empty window is about, whoever raises it.
const LIKELY: f64 = 0.01;
/// How rare absence can be, as powers of the `p` at the alert boundary: silence is critical, what stands still is not.
const SILENT: f64 = 1.6;
const STOPPED: f64 = 1.1;
/// Features named of those that stopped together.
const NAMED: usize = 4;
const DAY_MS: u64 = 86_400_000;

/// What was always there, and whether it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Absence {
    silence: Silence,
    still: Still,
}

/// What a window lacks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evidence {
    /// The chance that an ordinary window lacks as much; 1 where it lacks nothing.
    pub p: f64,
    /// What is absent, in words; of these shares.
    pub causes: Vec<Cause>,
    /// Windows for which an incident about it isn't taken as the new normal.
    pub patience: u32,
}

/// The numbers of a vector, in order, with their names.
fn numbers<'a>(layout: &'a Layout, values: &'a [f32]) -> impl Iterator<Item = (&'a String, f32)> {
    let mut before = 0;
    layout.blocks.iter().flat_map(move |block| {
        let from = before;
        before += block.len();
        let names: &[String] = match block {
            Block::Numeric { names } => names,
            _ => &[],
        };
        names.iter().zip(values[from..].iter().copied())
    })
}

fn names(layout: &Layout) -> impl Iterator<Item = &String> {
    layout.blocks.iter().flat_map(|block| match block {
        Block::Numeric { names } => names.as_slice(),
        _ => &[],
    })
}

impl Absence {
    pub(crate) fn new(layout: &Layout) -> Self {
        Self { silence: Silence::default(), still: Still::new(names(layout).count()) }
    }

    /// Takes a window in and says what it lacks.
    pub(crate) fn judge(&mut self, layout: &Layout, window: &Window, settings: &Settings, p_alert: f64) -> Evidence {
        let time = settings.time_zone.at(window.end_ms.saturating_sub(settings.window_ms / 2));
        self.silence.take_in(window.n, time, settings.window_ms);
        // What describes observations says nothing of a window that has none.
        if window.n > 0 {
            self.still.take_in(numbers(layout, window.values).map(|(_, value)| value));
        }
        self.evidence(layout, window, settings, p_alert)
    }

    /// What the window taken in last lacks.
    pub(crate) fn evidence(&self, layout: &Layout, window: &Window, settings: &Settings, p_alert: f64) -> Evidence {
        let mut evidence = Evidence { p: 1.0, causes: Vec::new(), patience: 0 };
        if window.n == 0 {
            let p = self.silence.p();
            if p <= p_alert {
                evidence.p = p.max(p_alert.powf(SILENT));
            }
            if p <= LIKELY {
                evidence.patience = (DAY_MS / settings.window_ms.max(1)).min(u64::from(u32::MAX)) as u32;
                evidence.causes.push(self.silent());
            }
            return evidence;
        }
        let stopped: Vec<Stopped> = self.still.stopped().into_iter().filter(|one| one.p <= p_alert).collect();
        if let Some(rarest) = stopped.first() {
            evidence.p = rarest.p.max(p_alert.powf(STOPPED));
            evidence.causes = told(&stopped, layout);
        }
        evidence
    }

    fn silent(&self) -> Cause {
        let (mean, deviation) = self.silence.usual();
        Cause {
            kind: Kind::Silence,
            feature: "count".to_owned(),
            what: "traffic".to_owned(),
            direction: Direction::Down,
            expected: mean,
            low: (mean - 2.0 * deviation).max(0.0),
            high: mean + 2.0 * deviation,
            observed: 0.0,
            windows: self.silence.lasts(),
            share: 1.0,
            items: Vec::new(),
        }
    }

    /// People hear of this window.
    pub(crate) fn tell(&mut self, p_alert: f64) {
        if self.silence.p() <= LIKELY {
            self.silence.tell();
        }
        self.still.tell(p_alert);
    }

    /// What is absent now is the new normal.
    pub(crate) fn accept(&mut self) {
        self.silence.accept();
        self.still.accept();
    }

    pub(crate) fn is_consistent(&self, layout: &Layout) -> bool {
        self.silence.is_consistent() && self.still.is_consistent(names(layout).count())
    }
}

/// Features that stopped as causes, the first of which speaks for all where there are many.
fn told(stopped: &[Stopped], layout: &Layout) -> Vec<Cause> {
    let names: Vec<&String> = names(layout).collect();
    let cause = |one: &Stopped| Cause {
        kind: match one.what {
            Absent::Movement => Kind::FlatLine,
            Absent::Value => Kind::Missing,
        },
        feature: names[one.feature].clone(),
        what: in_words(names[one.feature]),
        direction: Direction::Down,
        expected: one.at,
        low: one.at,
        high: one.at,
        observed: one.at,
        windows: one.lasts,
        share: 1.0 / stopped.len() as f64,
        items: Vec::new(),
    };
    let mut causes: Vec<Cause> = stopped.iter().take(NAMED).map(cause).collect();
    if stopped.len() == names.len() && names.len() > 1 {
        causes[0].what = format!("all {} features", names.len());
    } else if stopped.len() > NAMED {
        causes[0].what = format!("{} and {} others", causes[0].what, stopped.len() - 1);
    }
    causes
}
