//! Payloads of `RESTORE` and `EDDY.RESTORE`: real ones, damaged and signed, and then whatever commands do to what came in.

use super::dump;
use super::stage::Stage;
use crate::chance::Chance;
use crate::corpus::monitors;
use crate::grammar::{any_command, arguments, spoil};
use crate::mutate::damage;
use crate::resp::Case;
use crate::target::{Target, Tried};
use anyhow::Result;

/// A value that a server saved.
struct Saved {
    dump: Vec<u8>,
    /// The monitor's own encoding, where it is one.
    monitor: Option<Vec<u8>>,
}

pub(crate) struct Restore {
    stage: Stage,
    corpus: Vec<Saved>,
    key: usize,
}

/// What is done with a value that was accepted, and must be refused politely where none was.
const AFTERWARDS: [&str; 20] = [
    "EDDY.INFO #",
    "EDDY.SCHEMA #",
    "EDDY.FINGERPRINT #",
    "EDDY.OBSERVE # service pay status 500 latency_ms 812 user u1",
    "EDDY.MOBSERVE # 2 service size pay 1 cart 1e9",
    "EDDY.CLOSE # 1795166700000",
    "EDDY.READ # s 5-0",
    "EDDY.OBSERVE # service stock status 200 latency_ms 1",
    "EDDY.SENT # 1795166500000",
    "EDDY.COUNT # service pay cart",
    "EDDY.TOP # service",
    "EDDY.QUANTILE # latency_ms 0.5 1",
    "CMS.INFO #",
    "CMS.INCRBY # pay 5 cart 7",
    "CMS.QUERY # pay cart",
    "DEBUG DIGEST-VALUE #",
    "MEMORY USAGE #",
    "COPY # #2",
    "DUMP #",
    "XADD s * service pay latency_ms 7",
];

impl Restore {
    pub(crate) fn new(chance: &mut Chance) -> Result<Self> {
        let mut stage = Stage::set()?;
        let mut corpus = Vec::new();
        for monitor in monitors(chance) {
            let () = stage.call(&[b"EDDY.RESTORE", b"m", &monitor])?;
            let dump = stage.call(&[b"DUMP", b"m"])?;
            let () = stage.call(&[b"DEL", b"m"])?;
            corpus.push(Saved { dump, monitor: Some(monitor) });
        }
        // sketches of the count-min family, where the module has them
        for shape in [["7", "3"], ["64", "1"], ["500", "5"]].map(|shape| shape.map(str::as_bytes)) {
            if stage.call::<()>(&[b"CMS.INITBYDIM", b"c", shape[0], shape[1]]).is_err() {
                break;
            }
            let _: redis::Value = stage.call(&[b"CMS.INCRBY", b"c", b"pay", b"5", b"cart", b"70000"])?;
            let dump = stage.call(&[b"DUMP", b"c"])?;
            let () = stage.call(&[b"DEL", b"c"])?;
            corpus.extend((0..4).map(|_| Saved { dump: Vec::clone(&dump), monitor: None }));
        }
        Ok(Self { stage, corpus, key: 0 })
    }
}

impl Target for Restore {
    /// The restoring command, then the seed of what follows it.
    fn case(&mut self, chance: &mut Chance) -> Case {
        let (one, other) = (chance.pick(&self.corpus), chance.pick(&self.corpus));
        self.key = (self.key + 1) % 1000;
        let key = format!("k{}", self.key).into_bytes();
        let seed = chance.number().to_string().into_bytes();
        let payload = match (&one.monitor, chance.below(4)) {
            (Some(monitor), 0) => {
                let monitor = damage(monitor, &other.dump, chance);
                return vec![b"EDDY.RESTORE".to_vec(), key, monitor, seed];
            }
            (Some(monitor), 1 | 2) => {
                let from = other.monitor.as_ref().unwrap_or(&other.dump);
                dump::of_monitor(&one.dump, &damage(monitor, from, chance))
            }
            _ => dump::signed(&one.dump, &damage(dump::value(&one.dump), dump::value(&other.dump), chance)),
        };
        vec![b"RESTORE".to_vec(), key, b"0".to_vec(), payload, seed]
    }

    fn at_once(&self) -> usize {
        100
    }

    fn try_all(&mut self, cases: &[Case]) -> Result<Tried> {
        let commands: Vec<Case> = cases.iter().flat_map(with_what_follows).collect();
        self.stage.stand(&commands, |command| command[0].ends_with(b"RESTORE"))
    }
}

fn with_what_follows(case: &Case) -> Vec<Case> {
    let [restoring @ .., seed] = &case[..] else { return Vec::new() };
    let Some(key) = restoring.get(1) else { return Vec::new() };
    let mut chance = Chance::new(String::from_utf8_lossy(seed).parse().unwrap_or_default(), "what follows");
    let mut commands = vec![restoring.to_vec()];
    let name = String::from_utf8_lossy(key);
    for line in AFTERWARDS {
        commands.push(line.replace('#', &name).split(' ').map(Into::into).collect());
    }
    for _ in 0..3 {
        let command = any_command(&mut chance);
        let mut words = arguments(command, &mut chance);
        if chance.once_in(3) {
            spoil(&mut words, &mut chance);
        }
        if let Some(first) = words.first_mut() {
            first.clone_from(key);
        }
        words.insert(0, command.name.into());
        commands.push(words);
    }
    if chance.once_in(2) {
        commands.push(vec![b"DEL".to_vec(), key.clone()]);
    }
    commands
}
