//! Whether an explanation names what is wrong: known causes put into traffic and into metrics, and the faulty services of the
//! labelled traces.

mod culprits;
mod features;
mod injected;

use anyhow::Result;
use eddyline_detect::Cause;

const HEADER: &str = "\
| what | cases | true cause first | in the first 3 | in the first 3 of an alert |
|---|---|---|---|---|";

/// Measures whatever is there.
pub(super) fn table() -> Result<Option<String>> {
    let mut table = HEADER.to_owned();
    for (name, tally) in [injected::tallies()?, culprits::tallies()?, features::tallies()?].into_iter().flatten() {
        table.push_str(&format!("\n{}", tally.row(&name)));
    }
    Ok(Some(table))
}

/// How often the true cause was named.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    cases: usize,
    first: usize,
    in_three: usize,
    alerted: usize,
    told: usize,
}

impl Tally {
    /// A case: the place of the true cause in the explanation of its best window, counted from 0, and in what was told of it
    /// at best; none where nothing was told.
    fn count(&mut self, place: Option<usize>, told: Option<Option<usize>>) {
        let in_three = |place: Option<usize>| usize::from(place.is_some_and(|place| place < 3));
        self.cases += 1;
        self.first += usize::from(place == Some(0));
        self.in_three += in_three(place);
        self.alerted += usize::from(told.is_some());
        self.told += told.map_or(0, in_three);
    }

    fn row(&self, name: &str) -> String {
        let Self { cases, first, in_three, alerted, told } = self;
        format!(
            "| {name} | {cases} | {first} | {in_three} ({:.1} %) | {told} of {alerted} |",
            percent(*in_three, *cases)
        )
    }
}

fn percent(part: usize, all: usize) -> f64 {
    100.0 * part as f64 / all.max(1) as f64
}

/// Items that causes name, the most blamed first, each once.
fn items(causes: &[Cause]) -> Vec<&str> {
    let mut named: Vec<&str> = Vec::new();
    for item in causes.iter().flat_map(|cause| &cause.items) {
        if !named.contains(&item.item.as_str()) {
            named.push(&item.item);
        }
    }
    named
}
