//! What a monitor knows of single items and measures.

use crate::fields::Joint;
use crate::items::MAX_ITEM;
use crate::monitor::{Monitor, State};
use crate::values::JOINT;
use crate::window::Window;
use eddyline_sketch::ItemHash;

/// How often an item was counted, by count-min estimates: never too low.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// In the open window.
    pub open: u32,
    /// In the window that closed last.
    pub last: u32,
    /// A window, on average over those that closed since the monitor was made; the older half is forgotten in time.
    pub mean: f64,
}

/// Items with their counts, largest first.
pub type Heavy<'a> = Vec<(&'a [u8], u64)>;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The fields aren't known yet.
    #[error("the monitor is still learning its fields, after {0} of {1} observations: EDDY.INFO tells when it counts")]
    Learning(u64, u64),
    /// No such dimension or cross without a measure.
    #[error("the monitor has no dimension '{0}', it has: {1}")]
    Dimension(String, String),
    /// No such measure.
    #[error("the monitor has no measure '{0}', it has: {1}")]
    Measure(String, String),
}

impl Monitor {
    /// Estimated counts of an item of `dimension`, which may be a cross such as `service*status` with items such as `pay*500`.
    ///
    /// # Errors
    /// Still learning, or no such dimension.
    pub fn estimate(&self, dimension: &str, item: &[u8]) -> Result<Estimate, NoAnswer> {
        let (window, at) = self.dimension(dimension)?;
        let item = ItemHash::of(&self.stored(window, &window.fields.joints[at], item));
        let items = &window.items()[at];
        Ok(Estimate {
            open: items.window().estimate(item),
            last: window.last.items[at].estimate(item),
            mean: items.long_run_mean(item),
        })
    }

    /// How surprising the count of an item in the open window is, beside what is usual: the `burst` that the window would have
    /// if it closed now and no other item surprised more.
    ///
    /// # Errors
    /// Still learning, or no such dimension.
    pub fn surprise(&self, dimension: &str, item: &[u8]) -> Result<f64, NoAnswer> {
        let (window, at) = self.dimension(dimension)?;
        let item = ItemHash::of(&self.stored(window, &window.fields.joints[at], item));
        Ok(window.items()[at].surprise(item, &window.last.items[at]))
    }

    /// The `k` heaviest items of `dimension` in the open window and in the one that closed last.
    ///
    /// # Errors
    /// Still learning, or no such dimension.
    pub fn top(&self, dimension: &str, k: usize) -> Result<(Heavy<'_>, Heavy<'_>), NoAnswer> {
        let (window, at) = self.dimension(dimension)?;
        let open = window.items()[at].window().top(k).map(|(item, count, _)| (item, count));
        let last = window.last.items[at].top(k).map(|(item, count, _)| (item, count));
        Ok((open.collect(), last.collect()))
    }

    /// The value of rank `q` (0 to 1) of `measure` in the window that closed last, within 1 %; none where it had no value.
    ///
    /// # Errors
    /// Still learning, or no such measure.
    pub fn quantile(&self, measure: &str, q: f64) -> Result<Option<f64>, NoAnswer> {
        let window = self.counting()?;
        let names = || window.fields.measures.iter().map(|&field| &window.fields.names[usize::from(field)]);
        let at = names().position(|name| name == measure);
        let at = at.ok_or_else(|| NoAnswer::Measure(measure.to_owned(), listed(names())))?;
        Ok(window.last.measures[at].quantile(q))
    }

    fn counting(&self) -> Result<&Window, NoAnswer> {
        match &self.state {
            State::Counting(window) => Ok(window),
            State::Learning(learner) => {
                let progress = learner.progress();
                Err(NoAnswer::Learning(progress.observations, progress.needed))
            }
        }
    }

    fn dimension(&self, name: &str) -> Result<(&Window, usize), NoAnswer> {
        let window = self.counting()?;
        let joints = &window.fields.joints;
        match joints.iter().position(|joint| joint.name == name) {
            Some(at) => Ok((window, at)),
            None => Err(NoAnswer::Dimension(name.to_owned(), listed(joints.iter().map(|joint| &joint.name)))),
        }
    }

    /// `item` as the sketches know it: with the hashes of what is hashed.
    fn stored(&self, window: &Window, joint: &Joint, item: &[u8]) -> Vec<u8> {
        let field = |part: u16| window.fields.names[usize::from(part)].as_bytes();
        let hashed = &self.definition.hashed;
        if let [only] = joint.parts[..] {
            return hashed.of(field(only), item).into_owned();
        }
        let parts: Vec<&[u8]> = item.splitn(joint.parts.len(), |&byte| byte == JOINT).collect();
        let parts = joint.parts.iter().zip(parts).map(|(&part, item)| hashed.of(field(part), item));
        let mut item = parts.collect::<Vec<_>>().join(&JOINT);
        item.truncate(MAX_ITEM);
        item
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
