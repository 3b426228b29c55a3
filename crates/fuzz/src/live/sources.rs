//! Entries of sources: any client may write anything into a stream that a monitor reads.

use super::stage::Stage;
use crate::chance::Chance;
use crate::corpus::observation;
use crate::grammar::FIELDS;
use crate::resp::Case;
use crate::target::{Target, Tried};
use anyhow::Result;

pub(crate) struct Sources {
    stage: Stage,
}

/// Monitors that read the stream `s` in every way there is; each batch makes them anew.
const MONITORS: [&str; 5] = [
    "EDDY.CREATE learns SOURCES 1 s WINDOW 100",
    "EDDY.CREATE counts SOURCES 2 s t CLOCK stream WINDOW 1000 DIMENSIONS 2 service status CROSSES 2 service*status \
     service*latency_ms MEASURES 1 latency_ms@0.25 UNIQUES 1 user",
    "EDDY.CREATE ranges SOURCES 1 s CLOCK stream WINDOW 100 CROSSES 1 service*size MEASURES 1 size",
    "EDDY.CREATE small SOURCES 1 s CLOCK stream WINDOW 86400000 UNIQUES 2 user endpoint",
    "EDDY.CREATE waits SOURCES 1 s CLOCK stream WINDOW 100 DIMENSIONS 1 service",
];

impl Sources {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { stage: Stage::set()? })
    }
}

impl Target for Sources {
    fn case(&mut self, chance: &mut Chance) -> Case {
        let stream = *chance.pick(&["s", "s", "s", "t"]);
        let id = match chance.below(8) {
            0 => format!("{}-{}", chance.number(), chance.number()),
            1 => format!("{}-*", chance.number()),
            _ => "*".to_owned(),
        };
        let mut words: Case = ["XADD", stream, &id].map(Into::into).into();
        for (field, value) in observation(chance) {
            words.extend([field, value]);
        }
        for _ in 0..chance.below(4) {
            let field = if chance.once_in(2) { chance.pick(&FIELDS).as_bytes().to_vec() } else { chance.bytes(20) };
            let value = match chance.below(3) {
                0 => chance.number_text(),
                1 => vec![chance.byte(); *chance.pick(&[0, 1023, 1024, 1025, 5000])],
                _ => chance.bytes(60),
            };
            words.extend([field, value]);
        }
        words
    }

    fn at_once(&self) -> usize {
        500
    }

    fn try_all(&mut self, cases: &[Case]) -> Result<Tried> {
        let line = |line: &str| line.split(' ').map(Into::into).collect::<Case>();
        let mut commands: Vec<Case> = MONITORS.iter().map(|made| line(made)).collect();
        // no fingerprint of this one can be written
        commands.push(line("SET {waits}:fingerprints x"));
        commands.extend(cases.iter().cloned());
        for monitor in MONITORS.iter().filter_map(|made| made.split(' ').nth(1)) {
            for command in ["EDDY.INFO", "EDDY.FINGERPRINT", "EDDY.SCHEMA", "DUMP", "DEBUG DIGEST-VALUE"] {
                commands.push(line(&format!("{command} {monitor}")));
            }
        }
        self.stage.stand(&commands, |command| command[0] == b"XADD")
    }
}
