//! The worker's checkpoint: damage is refused, and what a valid checksum covers up does no harm either.

use crate::chance::Chance;
use crate::mutate::damage;
use crate::resp::Case;
use crate::target::{Harm, Target, Tried, each};
use anyhow::Result;
use eddyline_wire::command::EntryId;
use eddyline_wire::fingerprint::{Fingerprint, Top};
use eddyline_wire::schema::{self, Block, Schema};
use eddyline_worker::judging::choices::Choices;
use eddyline_worker::judging::judge::{Judge, NamedSchema};
use eddyline_worker::store::checkpoint;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// Bytes before the payload, of which the last twelve are its length and checksum.
const HEADER: usize = 18;

pub(crate) struct Checkpoints {
    schema: Arc<NamedSchema>,
    corpus: Vec<Vec<u8>>,
}

impl Checkpoints {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        let blocks = vec![
            Block::Numeric { features: vec!["count".into(), "latency_ms:p99".into()] },
            Block::Counts { name: "service".into(), buckets: 8 },
        ];
        let record = Schema { v: schema::VERSION, window_ms: 1000, blocks };
        let schema = Arc::new(NamedSchema { id: 7, record });
        let corpus = [1, 30, 200, 400].map(|windows| {
            let mut judge = Judge::new(Choices::default());
            for i in 1..=windows {
                judge.judge(&fingerprint(i, chance), &schema).expect("a fingerprint of its schema");
            }
            checkpoint::encode(&judge, EntryId { ms: windows * 1000, seq: 0 }).expect("windows were judged")
        });
        Self { schema, corpus: corpus.into() }
    }

    fn try_one(&self, bytes: &[u8]) -> Result<bool, Harm> {
        let choices = Choices::default();
        let Ok(read) = checkpoint::decode(bytes, &choices) else { return Ok(false) };
        let last = read.last;
        let Ok(mut judge) = read.resume(choices, Arc::clone(&self.schema)) else { return Ok(false) };
        let mut chance = Chance::new(1, "windows after a restart");
        for i in 401..420 {
            let _ = judge.judge(&fingerprint(i, &mut chance), &self.schema);
        }
        let _ = checkpoint::encode(&judge, last);
        Ok(true)
    }
}

impl Target for Checkpoints {
    fn case(&mut self, chance: &mut Chance) -> Case {
        let (one, other) = (chance.pick(&self.corpus), chance.pick(&self.corpus));
        if chance.once_in(4) {
            return vec![damage(one, other, chance)];
        }
        let payload = damage(&one[HEADER..], &other[HEADER..], chance);
        let mut bytes = one[..HEADER - 12].to_vec();
        bytes.extend((payload.len() as u32).to_le_bytes());
        bytes.extend(xxh3_64(&payload).to_le_bytes());
        bytes.extend(payload);
        vec![bytes]
    }

    fn try_all(&mut self, cases: &[Case]) -> Result<Tried> {
        Ok(each(cases, |case| self.try_one(&case.concat())))
    }
}

fn fingerprint(i: u64, chance: &mut Chance) -> Fingerprint {
    let mut values: Vec<f32> = (0..10).map(|_| (20 + chance.below(11)) as f32).collect();
    if i % 100 == 99 {
        values[4] += 900.0;
    }
    let n = values.iter().sum::<f32>() as u64;
    Fingerprint { end_ms: i * 1000, n, schema: 7, values, top: Top::default(), gap_ms: 0, partial: false }
}
