//! Why a window is unusual, and what controls have against that.

use super::{EXPLAINS, Inside};
use crate::absence::evidence::Evidence;
use crate::controls::Held;
use crate::controls::gate::{Left, Weighed};
use crate::incidents::cause::Finding;
use crate::incidents::incident::CAUSES;
use crate::incidents::verdict::Cause;
use crate::layout::Block;
use crate::window::Window;

/// Why a window is unusual.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// Largest first.
    pub(super) causes: Vec<Cause>,
    /// The same with what stands against them.
    pub(super) weighed: Vec<Weighed>,
    /// What is left without the features that aren't allowed.
    pub(super) left: Left,
}

impl Account {
    pub(super) fn told(&self) -> Vec<Cause> {
        self.causes.iter().take(CAUSES).cloned().collect()
    }
}

/// What a part says of a feature: its share in the whole.
struct Said {
    part: usize,
    block: usize,
    feature: usize,
    share: f64,
}

impl Inside {
    /// What is absent from a window, then what its models say, where there is nothing or they would alert by themselves: of
    /// each model up to `each`, in all up to `most`.
    pub(super) fn told(&self, joint: &[f64], absent: Evidence, window: &Window, [each, most]: [usize; 2]) -> Account {
        let Evidence { p, causes, .. } = absent;
        let alerts = joint.iter().any(|p| *p <= self.p_alert());
        if causes.is_empty() {
            return self.account(joint, window, each, most);
        }
        let mut account = if alerts { self.account(joint, window, each, most) } else { Account::default() };
        let share = if alerts { 0.5 } else { 1.0 };
        account.causes.iter_mut().for_each(|cause| cause.share *= share);
        account.weighed.iter_mut().for_each(|weighed| weighed.share *= share);
        let causes: Vec<Cause> =
            causes.into_iter().map(|cause| Cause { share: cause.share * share, ..cause }).collect();
        // What is absent is a number, whatever stands beside it.
        let block = Block::Numeric { names: Vec::new() };
        let weigh = |cause: &Cause| {
            let objection = self.settings.controls.objection(cause, &block, Some(cause.direction), window.end_ms);
            Weighed { share: cause.share, objection }
        };
        let weighed: Vec<Weighed> = causes.iter().map(weigh).collect();
        if weighed.iter().any(|weighed| weighed.objection.is_none()) {
            account.left.anywhere = account.left.anywhere.max(-p.ln());
        }
        account.causes.splice(0..0, causes);
        account.weighed.splice(0..0, weighed);
        account.causes.truncate(most);
        account.weighed.truncate(most);
        account
    }

    /// Whether a cause is only that what was called normal is over: a feature that had left its band is back in it, and by now
    /// more of the same would have been expected.
    fn is_rebound(&self, cause: &Cause, block: &Block, end_ms: u64) -> bool {
        let Some(event) = self.event.incident() else { return false };
        let is_before = |before: &&Cause| {
            let item = |cause: &Cause| cause.items.first().map(|item| item.item.clone());
            let is_same = matches!(block, Block::Numeric { .. }) || item(before) == item(cause);
            is_same && before.feature == cause.feature && before.direction != cause.direction
        };
        event.causes.iter().filter(is_before).any(|before| {
            let (windows, now) = (f64::from(before.windows.max(1)), cause.observed / f64::from(cause.windows.max(1)));
            let (low, high) = (before.low / windows, before.high / windows);
            let slack = (high - low) / 2.0;
            (low - slack..=high + slack).contains(&now) && self.settings.controls.is_forgiven(before, block, end_ms)
        })
    }

    /// The `most` largest contributions over all parts, of each part up to `each`, weighing by how surprised it is.
    fn account(&self, joint: &[f64], window: &Window, each: usize, most: usize) -> Account {
        // Where none is surprised, the least ordinary tells the little there is.
        let explains = joint.iter().copied().fold(1.0, f64::min).max(EXPLAINS);
        let surprises: Vec<f64> = joint.iter().map(|p| if *p <= explains { -p.ln() } else { 0.0 }).collect();
        let all: f64 = surprises.iter().sum();
        let mut findings: Vec<(Finding, f64)> = Vec::new();
        let mut said: Vec<Said> = Vec::new();
        for ((index, part), surprise) in self.parts.iter().enumerate().zip(&surprises).filter(|(_, s)| **s > 0.0) {
            for share in part.explain().into_iter().take(each) {
                let (block, feature, share) = (part.block(), share.feature, share.share * surprise / all);
                let of_block = || self.parts.iter().filter(|part| part.block() == block);
                let elsewhere = || of_block().find_map(|part| part.expectation(feature));
                // What was seen at its hour: the others were shown it as at an average one.
                let by_hour = of_block().find_map(|part| part.at_its_hour(feature));
                let Some(seen) = by_hour.or_else(|| part.expectation(feature)).or_else(elsewhere) else { continue };
                said.push(Said { part: index, block, feature, share });
                let place = |(known, _): &&mut (Finding, f64)| (known.block, known.feature) == (block, feature);
                if let Some((known, largest)) = findings.iter_mut().find(place) {
                    known.share += share;
                    // Who says most of it says what it is.
                    if share > *largest {
                        (known.seen, *largest) = (seen, share);
                    }
                } else {
                    findings.push((Finding { block, feature, share, seen, centre: part.centre(feature) }, share));
                }
            }
        }
        let mut findings: Vec<Finding> = findings.into_iter().map(|(finding, _)| finding).collect();
        let leading = |finding: &Finding| match &self.layout.blocks[finding.block] {
            // A number of different values or a quantile names no item, and much of it follows from the size of the traffic.
            Block::Numeric { names } if names[finding.feature] != "count" => finding.share,
            _ => 2.0 * finding.share,
        };
        findings.sort_by(|a, b| leading(b).total_cmp(&leading(a)));
        // A block's second finding tells less than another block's first, its third still less.
        let mut told = vec![0.0; self.layout.blocks.len()];
        let mut ranked: Vec<(f64, Finding)> = Vec::with_capacity(findings.len());
        for finding in findings {
            told[finding.block] += 1.0;
            ranked.push((leading(&finding) / told[finding.block], finding));
        }
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        let ranked: Vec<Finding> = ranked.into_iter().map(|(_, finding)| finding).take(most).collect();
        let causes: Vec<Cause> =
            ranked.iter().map(|finding| finding.describe(&self.layout, &self.names, window)).collect();
        let controls = &self.settings.controls;
        let objection = |(finding, cause): (&Finding, &Cause)| {
            let block = &self.layout.blocks[finding.block];
            let objection = controls.objection(cause, block, finding.moved(&self.layout), window.end_ms);
            objection.or_else(|| self.is_rebound(cause, block, window.end_ms).then_some(Held::Feedback))
        };
        let objections: Vec<Option<Held>> = ranked.iter().zip(&causes).map(objection).collect();
        let weigh = |(cause, objection): (&Cause, &Option<Held>)| Weighed { share: cause.share, objection: *objection };
        let weighed = causes.iter().zip(&objections).map(weigh).collect();
        let objection = |said: &Said| {
            let place = |finding: &Finding| (finding.block, finding.feature) == (said.block, said.feature);
            ranked.iter().position(place).and_then(|place| objections[place])
        };
        let mut left = Left::default();
        for (index, surprise) in surprises.iter().enumerate() {
            let of_part: Vec<&Said> = said.iter().filter(|said| said.part == index).collect();
            let share = |of: &dyn Fn(&Said) -> bool| -> f64 {
                of_part.iter().filter(|said| of(said)).map(|said| said.share).sum()
            };
            let all = share(&|_| true);
            if all > 0.0 {
                let allowed = surprise * share(&|said| objection(said).is_none()) / all;
                left.anywhere = left.anywhere.max(allowed);
                let counts = !matches!(self.layout.blocks[self.parts[index].block()], Block::Numeric { .. });
                if counts && of_part.iter().any(|said| objection(said) == Some(Held::Feedback)) {
                    left.beside = left.beside.max(allowed);
                }
            }
        }
        Account { causes, weighed, left }
    }
}
