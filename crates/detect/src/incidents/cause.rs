//! From shares in a score to causes that a person can act on.

use crate::detector::Expectation;
use crate::incidents::names::Names;
use crate::incidents::verdict::{Cause, CauseItem, Direction, Kind};
use crate::layout::{Block, Layout};
use crate::window::Window;

/// An item is gone when it is below this part of what was expected, of at least so many.
const GONE: (f64, f64) = (0.1, 3.0);
/// An item is new when less than this part of what is observed was expected.
const NEW: f64 = 0.05;

/// Where and how much a feature contributes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finding {
    /// Block of the layout and feature within it.
    pub block: usize,
    pub feature: usize,
    /// Share of the score, 0 to 1.
    pub share: f64,
    /// What the feature is against what it should be.
    pub seen: Expectation,
    /// Of a histogram: the mean bucket of the row.
    pub centre: Option<f64>,
}

impl Finding {
    /// The finding in words, with the items behind it.
    pub(crate) fn describe(&self, layout: &Layout, names: &Names, window: &Window) -> Cause {
        let seen = self.seen;
        let direction = if seen.observed > seen.expected { Direction::Up } else { Direction::Down };
        let (kind, feature, what, items) = match &layout.blocks[self.block] {
            Block::Histogram { name, group, measure, edges, .. } => {
                let (row, bucket) = (self.feature / (edges.len() + 1), self.feature % (edges.len() + 1));
                let before: usize = layout.blocks[..self.block].iter().map(Block::len).sum();
                let cells = &window.values[before + self.feature - bucket..][..=edges.len()];
                let items = names.of_row(self.block, row, cells.iter().sum::<f32>() as u64);
                let centre = self.centre.unwrap_or(bucket as f64);
                let kind = match direction {
                    Direction::Up if is_time(measure) && bucket as f64 > centre => Kind::Latency,
                    Direction::Up if is_time(measure) => Kind::Faster,
                    _ => Kind::Share,
                };
                let what = format!("{}: {measure} {}", named(group, &items, row), range(edges, bucket));
                (kind, name.clone(), what, items)
            }
            Block::Counts { name, .. } => {
                let items = names.of_bucket(self.block, self.feature, direction, name, window);
                let kind = self.kind_of_count(name, direction, &items, names);
                (kind, name.clone(), named(name, &items, self.feature), items)
            }
            Block::Numeric { names: features } => {
                let name = &features[self.feature];
                let items = match name.rsplit_once(':') {
                    Some((dimension, _)) if direction == Direction::Up => names.risen(dimension, window, layout),
                    _ => Vec::new(),
                };
                (kind_of_number(name, direction), name.clone(), in_words(name), items)
            }
        };
        let Expectation { observed, expected, low, high, windows } = seen;
        let (expected, low, high) = (rounded(expected), rounded(low), rounded(high));
        Cause { kind, feature, what, direction, expected, low, high, observed, windows, share: self.share, items }
    }

    /// Which way the feature moved: of a histogram, whether its values became larger; none where that doesn't show.
    pub(crate) fn moved(&self, layout: &Layout) -> Option<Direction> {
        let more = self.seen.observed > self.seen.expected;
        let up = match &layout.blocks[self.block] {
            Block::Histogram { edges, .. } => {
                let from_centre = (self.feature % (edges.len() + 1)) as f64 - self.centre.unwrap_or(f64::NAN);
                // The bucket in the middle is left in either direction.
                if from_centre.is_nan() || from_centre.abs() < 0.5 {
                    return None;
                }
                more == (from_centre > 0.0)
            }
            _ => more,
        };
        Some(if up { Direction::Up } else { Direction::Down })
    }

    fn kind_of_count(&self, dimension: &str, direction: Direction, items: &[CauseItem], names: &Names) -> Kind {
        let seen = self.seen;
        match (direction, items.first()) {
            (Direction::Down, _) if seen.expected >= GONE.1 && seen.observed < GONE.0 * seen.expected => Kind::Vanished,
            (Direction::Up, Some(first)) if is_failure(dimension, &first.item) => Kind::Errors,
            (Direction::Up, Some(first))
                if seen.expected < NEW * seen.observed && names.usual(self.block, &first.item) == 0.0 =>
            {
                Kind::NewItem
            }
            _ => Kind::Share,
        }
    }
}

/// To four significant digits: what is estimated has no more.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

fn kind_of_number(name: &str, direction: Direction) -> Kind {
    match (name, name.rsplit_once(':'), direction) {
        ("count", _, Direction::Up) => Kind::TrafficUp,
        ("count", _, Direction::Down) => Kind::TrafficDown,
        (_, Some((_, "new")), Direction::Up) => Kind::NewItem,
        (_, Some((measure, _)), Direction::Up) if is_time(measure) => Kind::Latency,
        _ => Kind::Feature,
    }
}

/// Whether a measure is a duration.
pub(crate) fn is_time(measure: &str) -> bool {
    let measure = measure.to_ascii_lowercase();
    unit(&measure).is_some() || ["latency", "duration", "elapsed", "time"].iter().any(|word| measure.contains(word))
}

/// Unit of a duration, from the ending of its name.
pub(crate) fn unit(measure: &str) -> Option<&'static str> {
    let units = [("_ms", "ms"), ("_us", "us"), ("_ns", "ns"), ("_s", "s"), ("_seconds", "s")];
    units.into_iter().find(|(ending, _)| measure.ends_with(ending)).map(|(_, unit)| unit)
}

/// Whether one of a joint item's parts says that something failed.
fn is_failure(dimension: &str, item: &str) -> bool {
    dimension.split('*').zip(item.split('*')).any(|(dimension, part)| {
        let (dimension, part) = (dimension.to_ascii_lowercase(), part.to_ascii_lowercase());
        let code = ["status", "code"].iter().any(|word| dimension.contains(word));
        let http = part.parse().is_ok_and(|status: u32| (400..600).contains(&status));
        let words = ["error", "fail", "exception", "timeout", "fatal", "panic"];
        (code && http) || words.iter().any(|word| part.contains(word))
    })
}

/// `peer pay`; for a cross `service pay, status 500`; for an unknown item the place.
fn named(dimension: &str, items: &[CauseItem], place: usize) -> String {
    match items.first() {
        None => format!("{dimension} bucket {place}"),
        Some(first) => {
            let (names, parts): (Vec<&str>, Vec<&str>) =
                (dimension.split('*').collect(), first.item.split('*').collect());
            if names.len() == parts.len() {
                let pairs: Vec<String> = names.iter().zip(parts).map(|(name, part)| format!("{name} {part}")).collect();
                pairs.join(", ")
            } else {
                format!("{dimension} {}", first.item)
            }
        }
    }
}

/// `16-64`, `under 4`, `over 1024`.
pub(crate) fn range(edges: &[f64], bucket: usize) -> String {
    match (bucket.checked_sub(1).and_then(|below| edges.get(below)), edges.get(bucket)) {
        (Some(low), Some(high)) => format!("{low}-{high}"),
        (None, Some(high)) => format!("under {high}"),
        (Some(low), None) => format!("over {low}"),
        (None, None) => "any".to_owned(),
    }
}

/// A numeric feature's name in words.
pub(crate) fn in_words(name: &str) -> String {
    match name.rsplit_once(':') {
        Some((field, "distinct")) => format!("distinct {field} values"),
        Some((field, "new")) => format!("new {field} values"),
        Some((field, "entropy")) => format!("spread of {field} values"),
        Some((field, "burst")) => format!("burst of one {field}"),
        Some((field, what)) => format!("{field} {what}"),
        None if name == "count" => "traffic".to_owned(),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_recognised_in_crosses() {
        assert!(is_failure("service*status", "pay*500"));
        assert!(is_failure("outcome", "Timeout"));
        assert!(!is_failure("service*status", "pay*200"));
        assert!(!is_failure("port", "443"));
    }

    #[test]
    fn estimates_have_four_digits() {
        assert_eq!(
            [rounded(812.000_1), rounded(0.012_345_6), rounded(0.0), rounded(-98_764.0)],
            [812.0, 0.012_35, 0.0, -98_760.0]
        );
    }

    #[test]
    fn ranges_are_open_at_the_ends() {
        let edges = [0.25, 4.0, 16.0];
        let ranges: Vec<String> = (0..4).map(|bucket| range(&edges, bucket)).collect();
        assert_eq!(ranges, ["under 0.25", "0.25-4", "4-16", "over 16"]);
    }

    #[test]
    fn items_are_named_by_their_fields() {
        let items = |item: &str| vec![CauseItem { item: item.to_owned(), count: 1 }];
        assert_eq!(named("peer", &items("pay"), 3), "peer pay");
        assert_eq!(named("service*status", &items("pay*500"), 3), "service pay, status 500");
        assert_eq!(named("endpoint", &items("a*b"), 3), "endpoint a*b");
        assert_eq!(named("endpoint", &[], 3), "endpoint bucket 3");
    }
}
