//! Bytes that may be a monitor: refused, or a monitor on which everything works and which can be saved again.

use crate::chance::Chance;
use crate::corpus::{live, monitors, observation};
use crate::grammar::FIELDS;
use crate::mutate::damage;
use crate::resp::Case;
use crate::target::{Harm, Target, Tried, each};
use anyhow::Result;
use eddyline_monitor::Monitor;

pub(crate) struct Monitors {
    corpus: Vec<Vec<u8>>,
}

impl Monitors {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        Self { corpus: monitors(chance) }
    }
}

impl Target for Monitors {
    fn case(&mut self, chance: &mut Chance) -> Case {
        let (one, other) = (chance.pick(&self.corpus), chance.pick(&self.corpus));
        // the second word is the seed of what is done with the monitor
        vec![damage(one, other, chance), chance.number().to_string().into_bytes()]
    }

    fn try_all(&mut self, cases: &[Case]) -> Result<Tried> {
        Ok(each(cases, try_one))
    }
}

fn try_one(case: &Case) -> Result<bool, Harm> {
    let [bytes, seed] = &case[..] else { return Ok(false) };
    let Ok(mut monitor) = Monitor::decode(bytes) else { return Ok(false) };
    saves("decoded", &monitor)?;
    let mut chance = Chance::new(String::from_utf8_lossy(seed).parse().unwrap_or_default(), "what is done");
    let mut now_ms = monitor.open_window().map_or(1_795_166_100_000, |(start, _)| start) + 20_000;
    look(&monitor);
    live(&mut monitor, 30, &mut now_ms, &mut chance);
    saves("used", &monitor)?;
    for _ in 0..4 {
        now_ms = now_ms.saturating_add(chance.number() % (1 << 40));
        monitor.close(now_ms);
        let pairs = observation(&mut chance);
        let _ = monitor.observe(pairs.iter().map(|(field, value)| (field.as_slice(), value.as_slice())));
    }
    look(&monitor);
    saves("used for long", &monitor)?;
    while let Some(end_ms) = monitor.outbox().map(|closed| closed.end_ms) {
        let waiting = (monitor.waiting(), end_ms);
        monitor.sent(end_ms + 1000 * monitor.definition().window_ms);
        if monitor.outbox().map(|closed| (monitor.waiting(), closed.end_ms)) == Some(waiting) {
            return Err(format!("the window that ends at {end_ms} can't be sent"));
        }
    }
    saves("emptied", &monitor).map(|()| true)
}

/// Whatever a monitor becomes, the next restart must be able to load it, as the same.
fn saves(when: &str, monitor: &Monitor) -> Result<(), Harm> {
    let bytes = monitor.encode();
    match Monitor::decode(&bytes) {
        Ok(again) if again.encode() == bytes => Ok(()),
        Ok(_) => Err(format!("{when}: saved and loaded, it is another monitor")),
        Err(error) => Err(format!("{when}: saved, it can't be loaded: {error}")),
    }
}

fn look(monitor: &Monitor) {
    let schema = monitor.schema();
    if let (Some(schema), Some(closed)) = (schema, monitor.outbox().or(monitor.last())) {
        assert_eq!(schema.len(), closed.values.len(), "features without a name");
        closed.named_top(schema).for_each(drop);
    }
    monitor.left_out_by_field().for_each(drop);
    for field in FIELDS {
        let _ = monitor.estimate(field, b"service1");
        let _ = monitor.top(field, 10);
        let _ = monitor.quantile(field, 0.99);
    }
    assert!(monitor.bytes_at_most() <= 1 << 27, "a monitor of {} bytes", monitor.bytes_at_most());
}
