//! The checkpoint in `{monitor}:model`: what was learnt up to a fingerprint, so that a restart goes on from there.
//!
//! `EDLM`, version (u16), length of the payload (u32), xxh3 of the payload (u64), payload (postcard); little-endian. It is
//! a shortcut, never the truth: whatever can't be read is rebuilt from the stream.

use crate::judging::choices::Choices;
use crate::judging::judge::{Judge, NamedSchema, Series};
use crate::judging::translate;
use eddyline_detect::Pipeline;
use eddyline_wire::command::EntryId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: &[u8; 4] = b"EDLM";
/// Raised whenever the payload or what a pipeline learns from the same windows changes.
pub const VERSION: u16 = 7;
/// A checkpoint is never longer than this, in bytes; whatever is isn't one.
pub const LONGEST: usize = 64 << 20;
const HEADER: usize = 4 + 2 + 4 + 8;

/// Why a checkpoint isn't used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Too short, or not a checkpoint.
    #[error("it isn't a checkpoint")]
    Foreign,
    /// Longer than any could be.
    #[error("it is longer than {LONGEST} bytes")]
    Long,
    /// Another release wrote it.
    #[error("it has version {0}, this release uses {VERSION}")]
    Version(u16),
    /// Its length or checksum is wrong.
    #[error("it is damaged")]
    Damaged,
    /// The payload is no baseline.
    #[error("its content can't be read: {0}")]
    Content(String),
    /// It was learnt under settings that teach something else.
    #[error("the settings changed")]
    Settings,
    /// Its schema is gone or means something else now.
    #[error("its schema isn't the monitor's")]
    Schema,
}

/// A checkpoint that was read but not yet joined with its schema.
#[derive(Debug)]
pub struct Checkpoint {
    /// The last fingerprint that was learnt.
    pub last: EntryId,
    /// Id of the schema.
    pub schema: u64,
    /// End of the last window that was judged, ms since the epoch.
    pub last_end_ms: u64,
    pipeline: Pipeline,
    open: Option<u64>,
}

#[derive(Serialize)]
struct Written<'a> {
    last: (u64, u64),
    choices: &'a Choices,
    schema: u64,
    open: Option<u64>,
    last_end_ms: u64,
    pipeline: &'a Pipeline,
}

#[derive(Deserialize)]
struct Read {
    last: (u64, u64),
    choices: Choices,
    schema: u64,
    open: Option<u64>,
    last_end_ms: u64,
    pipeline: Pipeline,
}

/// The checkpoint of `judge` after fingerprint `last`; none before the first.
#[must_use]
pub fn encode(judge: &Judge, last: EntryId) -> Option<Vec<u8>> {
    let series = judge.series()?;
    let written = Written {
        last: (last.ms, last.seq),
        choices: judge.choices(),
        schema: series.schema.id,
        open: series.open,
        last_end_ms: series.last_end_ms,
        pipeline: &series.pipeline,
    };
    sealed(&postcard::to_stdvec(&written).ok()?)
}

fn sealed(payload: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= LONGEST - HEADER)?;
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(xxh3_64(payload).to_le_bytes());
    bytes.extend(payload);
    Some(bytes)
}

/// The same baseline as if `last` were the last fingerprint that it learnt: for a monitor that has others.
///
/// # Errors
/// Bytes that are no checkpoint of this release.
pub fn moved_to(bytes: &[u8], last: EntryId) -> Result<Vec<u8>, CheckpointError> {
    let content = |error: postcard::Error| CheckpointError::Content(error.to_string());
    // the first of what is written
    let (_, rest): ((u64, u64), _) = postcard::take_from_bytes(payload(bytes)?).map_err(content)?;
    let moved = postcard::to_extend(&(last.ms, last.seq), Vec::new()).map_err(content)?;
    sealed(&[&moved[..], rest].concat()).ok_or(CheckpointError::Damaged)
}

/// Reads a checkpoint made under choices that teach the same.
///
/// # Errors
/// Anything else.
pub fn decode(bytes: &[u8], choices: &Choices) -> Result<Checkpoint, CheckpointError> {
    let (made_under, checkpoint) = decode_any(bytes)?;
    if made_under.learn_as(choices) { Ok(checkpoint) } else { Err(CheckpointError::Settings) }
}

/// Reads a checkpoint and the choices under which it was made.
///
/// # Errors
/// Bytes that are no checkpoint of this release.
pub fn decode_any(bytes: &[u8]) -> Result<(Choices, Checkpoint), CheckpointError> {
    let payload = payload(bytes)?;
    let read: Read = postcard::from_bytes(payload).map_err(|error| CheckpointError::Content(error.to_string()))?;
    let last = EntryId { ms: read.last.0, seq: read.last.1 };
    let Read { choices, schema, pipeline, open, last_end_ms, .. } = read;
    Ok((choices, Checkpoint { last, schema, pipeline, open, last_end_ms }))
}

/// The choices under which a checkpoint was made.
///
/// # Errors
/// Bytes that are no checkpoint of this release.
pub fn choices(bytes: &[u8]) -> Result<Choices, CheckpointError> {
    let read: Read =
        postcard::from_bytes(payload(bytes)?).map_err(|error| CheckpointError::Content(error.to_string()))?;
    Ok(read.choices)
}

fn payload(bytes: &[u8]) -> Result<&[u8], CheckpointError> {
    if bytes.len() > LONGEST {
        return Err(CheckpointError::Long);
    }
    let (header, payload) = bytes.split_at_checked(HEADER).ok_or(CheckpointError::Foreign)?;
    let (magic, header) = header.split_at(4);
    if magic != MAGIC {
        return Err(CheckpointError::Foreign);
    }
    let version = u16::from_le_bytes([header[0], header[1]]);
    if version != VERSION {
        return Err(CheckpointError::Version(version));
    }
    let length = u32::from_le_bytes(header[2..6].try_into().expect("four bytes"));
    let checksum = u64::from_le_bytes(header[6..14].try_into().expect("eight bytes"));
    if payload.len() != length as usize || xxh3_64(payload) != checksum {
        return Err(CheckpointError::Damaged);
    }
    Ok(payload)
}

impl Checkpoint {
    /// The judge as it was, under the schema that the monitor's stream names.
    ///
    /// # Errors
    /// A schema with which the pipeline wasn't made.
    pub fn resume(mut self, choices: Choices, schema: Arc<NamedSchema>) -> Result<Judge, CheckpointError> {
        let same = self.pipeline.layout() == &translate::layout(&schema.record) && schema.id == self.schema;
        let settings = choices.settings(schema.record.window_ms);
        if !same || self.pipeline.reconfigure(settings).is_err() {
            return Err(CheckpointError::Schema);
        }
        let Self { pipeline, open, last_end_ms, .. } = self;
        Ok(Judge::resume(choices, Series { schema, pipeline, open, last_end_ms }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eddyline_wire::fingerprint::{Fingerprint, Top};
    use eddyline_wire::schema::{self, Block, Schema};

    fn schema() -> Arc<NamedSchema> {
        let blocks = vec![Block::Numeric { features: vec!["count".into()] }];
        Arc::new(NamedSchema { id: 7, record: Schema { v: schema::VERSION, window_ms: 1000, blocks } })
    }

    fn fingerprint(i: u64) -> Fingerprint {
        let values = vec![(100 + (i * 7) % 13) as f32];
        Fingerprint { end_ms: i * 1000, n: 100, schema: 7, values, top: Top::default(), gap_ms: 0, partial: false }
    }

    fn lived(windows: std::ops::Range<u64>, mut judge: Judge) -> Judge {
        for i in windows {
            judge.judge(&fingerprint(i), &schema()).unwrap();
        }
        judge
    }

    const LAST: EntryId = EntryId { ms: 99_000, seq: 0 };

    fn sample() -> Vec<u8> {
        encode(&lived(1..100, Judge::new(Choices::default())), LAST).unwrap()
    }

    #[test]
    fn a_baseline_that_was_put_away_goes_on_as_if_it_had_not_been() {
        let resumed = decode(&sample(), &Choices::default()).unwrap();
        assert_eq!(resumed.last, LAST);
        let resumed = lived(100..200, resumed.resume(Choices::default(), schema()).unwrap());
        let straight = lived(1..200, Judge::new(Choices::default()));
        assert_eq!(encode(&resumed, LAST), encode(&straight, LAST));
    }

    #[test]
    fn damage_is_noticed_wherever_it_is() {
        let good = sample();
        for at in (0..good.len()).step_by(7) {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert!(decode(&bad, &Choices::default()).is_err(), "byte {at}");
            assert!(decode(&good[..at], &Choices::default()).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_checkpoint_of_another_release_or_other_settings_is_not_used() {
        let mut newer = sample();
        newer[4] += 1;
        assert_eq!(decode(&newer, &Choices::default()).unwrap_err(), CheckpointError::Version(VERSION + 1));
        assert_eq!(choices(&sample()), Ok(Choices::default()));
        let other = Choices { detectors: "level".parse().unwrap(), ..Choices::default() };
        assert_eq!(decode(&sample(), &other).unwrap_err(), CheckpointError::Settings);
    }

    #[test]
    fn a_baseline_that_is_moved_has_another_last_fingerprint_and_is_the_same_otherwise() {
        let here = EntryId { ms: 5, seq: 1 };
        let moved = moved_to(&sample(), here).unwrap();
        assert_eq!(decode(&moved, &Choices::default()).unwrap().last, here);
        assert_eq!(moved_to(&moved, LAST).unwrap(), sample());
        assert_eq!(moved_to(b"EDLM", here).unwrap_err(), CheckpointError::Foreign);
    }

    #[test]
    fn a_baseline_outlives_a_change_of_what_may_alert() {
        let mut other = Choices { budget_per_day: 24.0, ..Choices::default() };
        other.set("direction:count", "up").unwrap().unwrap();
        let judge = decode(&sample(), &other).unwrap().resume(other.clone(), schema()).unwrap();
        assert_eq!((judge.choices(), judge.series().unwrap().pipeline.settings()), (&other, &other.settings(1000)));
    }

    #[test]
    fn a_schema_that_means_something_else_is_not_joined() {
        let mut other = schema().as_ref().clone();
        other.record.window_ms = 5000;
        let read = decode(&sample(), &Choices::default()).unwrap();
        assert_eq!(read.resume(Choices::default(), Arc::new(other)).unwrap_err(), CheckpointError::Schema);
    }

    /// A checkpoint of this version that was written once and must be read for as long as the version is used. `EDDYLINE_GOLDEN=write
    /// cargo test -p eddyline --lib golden` writes it anew, for when the version was raised.
    #[test]
    fn the_golden_checkpoint_is_read_and_written_to_the_byte() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/checkpoint.bin");
        if std::env::var("EDDYLINE_GOLDEN").is_ok_and(|what| what == "write") {
            let mut judge = lived(1..100, Judge::new(Choices::default()));
            // What is read has learnt all that it judged.
            judge.learn();
            std::fs::write(file, encode(&judge, LAST).unwrap()).unwrap();
        }
        let golden = std::fs::read(file).unwrap();
        let read = decode(&golden, &Choices::default()).expect("raise VERSION, then write the golden checkpoint anew");
        assert_eq!(read.last, LAST);
        let judge = read.resume(Choices::default(), schema()).unwrap();
        assert!(encode(&judge, LAST).unwrap() == golden, "what is written of it is other bytes");
    }
}
