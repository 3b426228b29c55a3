//! Every command of the module, with arguments from its grammar, spoilt.

use super::stage::Stage;
use crate::chance::Chance;
use crate::grammar::{KEYS, STREAMS, any_command, arguments, spoil};
use crate::resp::Case;
use crate::target::{Target, Tried};
use anyhow::Result;

pub(crate) struct Commands {
    stage: Stage,
}

impl Commands {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { stage: Stage::set()? })
    }
}

impl Target for Commands {
    fn case(&mut self, chance: &mut Chance) -> Case {
        if chance.once_in(12) {
            return background(chance);
        }
        let command = any_command(chance);
        let mut words = arguments(command, chance);
        for _ in 0..chance.below(3) {
            spoil(&mut words, chance);
        }
        words.insert(0, command.name.into());
        words
    }

    fn at_once(&self) -> usize {
        500
    }

    fn try_all(&mut self, cases: &[Case]) -> Result<Tried> {
        self.stage.stand(cases, |_| true)
    }
}

/// What other clients do to the same keys meanwhile.
fn background(chance: &mut Chance) -> Case {
    let (key, stream) = (*chance.pick(&KEYS), *chance.pick(&STREAMS));
    let line = match chance.below(12) {
        0 => format!("DEL {key}"),
        1 => format!("DEL {stream}"),
        2 => format!("RENAME {key} {}", chance.pick(&KEYS)),
        3 => format!("COPY {key} {} REPLACE", chance.pick(&KEYS)),
        4 => format!("SET {} x", chance.pick(&["plain", "{m}:fingerprints", "{m}:schemas"])),
        5 => format!("PEXPIRE {} {}", chance.pick(&[key, stream]), chance.below(20)),
        6 => format!("XTRIM {stream} MAXLEN 1"),
        7 => "DEBUG RELOAD".to_owned(),
        8 => "SWAPDB 0 1".to_owned(),
        _ => format!("XADD {stream} * service pay latency_ms {}", chance.below(900)),
    };
    // loading takes long, so seldom
    let line = if line == "DEBUG RELOAD" && !chance.once_in(10) { "PING".to_owned() } else { line };
    line.split(' ').map(Into::into).collect()
}
