//! What was learnt about a monitor as one file: its model, its settings (feedback is among them) and the schemas that they
//! are about.
//!
//! `EDLX`, version (u16), length of the payload (u32), xxh3 of the payload (u64), payload (postcard); little-endian.

use crate::judging::choices::Choices;
use crate::judging::judge::NamedSchema;
use crate::store::checkpoint::{self, CheckpointError};
use eddyline_wire::fingerprint::schema_id;
use eddyline_wire::schema::Schema;
use eddyline_wire::text::printable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: &[u8; 4] = b"EDLX";
const VERSION: u16 = 1;
const HEADER: usize = 4 + 2 + 4 + 8;
/// Largest file.
pub const MOST_BYTES: u64 = 64 << 20;
/// Most settings and most schemas, and the longest of a setting's name and value.
const MOST_SETTINGS: usize = 100_000;
const MOST_SCHEMAS: usize = 10_000;
const LONGEST: usize = 1 << 20;

/// Why a file isn't taken.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Not a file of this kind.
    #[error("it isn't a file of 'eddyline export'")]
    Foreign,
    /// Of a newer release.
    #[error(
        "it was written by a newer release (version {0} of the format, this release reads {VERSION}): update eddyline"
    )]
    Newer(u16),
    /// Its length or checksum is wrong.
    #[error("it is damaged or cut off")]
    Damaged,
    /// Too large, or too many of something.
    #[error("{0}")]
    Limits(String),
    /// The model can't be used.
    #[error("its model can't be used: {0}")]
    Model(#[from] CheckpointError),
    /// A schema can't be read.
    #[error("its schema {0} can't be read: {1}")]
    Schema(String, String),
    /// The schema of the model isn't there.
    #[error("the schema of its model isn't in it")]
    NoSchema,
}

/// The content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// Name of the monitor.
    pub monitor: Vec<u8>,
    /// Release that wrote the file.
    pub release: String,
    /// The model, if anything was learnt.
    pub model: Option<Vec<u8>>,
    /// Its settings.
    pub settings: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Schema records by id.
    pub schemas: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// What a model says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Learnt {
    /// The choices under which it was learnt.
    pub choices: Choices,
    /// Id of its schema, as text.
    pub schema: String,
    /// End of the last window, ms since the epoch.
    pub last_end_ms: u64,
}

impl Archive {
    /// As a file.
    ///
    /// # Errors
    /// More than a file can have.
    pub fn encode(&self) -> Result<Vec<u8>, ArchiveError> {
        self.check_sizes()?;
        let payload = postcard::to_stdvec(self).map_err(|error| ArchiveError::Limits(error.to_string()))?;
        let length = u32::try_from(payload.len()).ok().filter(|length| u64::from(*length) < MOST_BYTES);
        let length = length.ok_or_else(too_large)?;
        let mut bytes = Vec::with_capacity(HEADER + payload.len());
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend(xxh3_64(&payload).to_le_bytes());
        bytes.extend(payload);
        Ok(bytes)
    }

    /// Reads a file and checks all of it.
    ///
    /// # Errors
    /// Anything that [`Self::encode`] didn't write, or that a worker of this release couldn't use.
    pub fn decode(bytes: &[u8]) -> Result<(Self, Option<Learnt>), ArchiveError> {
        if bytes.len() as u64 > MOST_BYTES {
            return Err(too_large());
        }
        let (header, payload) = bytes.split_at_checked(HEADER).ok_or(ArchiveError::Foreign)?;
        let (magic, header) = header.split_at(4);
        if magic != MAGIC {
            return Err(ArchiveError::Foreign);
        }
        let version = u16::from_le_bytes([header[0], header[1]]);
        if version > VERSION {
            return Err(ArchiveError::Newer(version));
        }
        let length = u32::from_le_bytes(header[2..6].try_into().expect("four bytes"));
        let checksum = u64::from_le_bytes(header[6..14].try_into().expect("eight bytes"));
        if version == 0 || payload.len() != length as usize || xxh3_64(payload) != checksum {
            return Err(ArchiveError::Damaged);
        }
        let (archive, rest): (Self, _) = postcard::take_from_bytes(payload).map_err(|_| ArchiveError::Damaged)?;
        if !rest.is_empty() {
            return Err(ArchiveError::Damaged);
        }
        let learnt = archive.check()?;
        Ok((archive, learnt))
    }

    /// Whether a worker of this release can use all of it; what the model says of itself.
    ///
    /// # Errors
    /// What it can't use.
    pub fn check(&self) -> Result<Option<Learnt>, ArchiveError> {
        self.check_sizes()?;
        let mut schemas = BTreeMap::new();
        for (name, record) in &self.schemas {
            let shown = printable(name, 64);
            let id = std::str::from_utf8(name).ok().and_then(|text| u64::from_str_radix(text, 16).ok());
            let id = id.filter(|id| schema_id(*id).as_bytes() == name);
            let id =
                id.ok_or_else(|| ArchiveError::Schema(shown.clone(), "its id isn't 16 hexadecimal digits".into()))?;
            let record = Schema::from_json(record).map_err(|error| ArchiveError::Schema(shown, error.to_string()))?;
            schemas.insert(id, record);
        }
        let Some(model) = &self.model else { return Ok(None) };
        let (choices, checkpoint) = checkpoint::decode_any(model)?;
        let (id, last_end_ms) = (checkpoint.schema, checkpoint.last_end_ms);
        let record = schemas.remove(&id).ok_or(ArchiveError::NoSchema)?;
        checkpoint.resume(choices.clone(), Arc::new(NamedSchema { id, record }))?;
        Ok(Some(Learnt { choices, schema: schema_id(id), last_end_ms }))
    }

    fn check_sizes(&self) -> Result<(), ArchiveError> {
        let long =
            |map: &BTreeMap<Vec<u8>, Vec<u8>>| map.iter().any(|(name, value)| name.len().max(value.len()) > LONGEST);
        let limits = [
            (self.settings.len() > MOST_SETTINGS, format!("more than {MOST_SETTINGS} settings")),
            (self.schemas.len() > MOST_SCHEMAS, format!("more than {MOST_SCHEMAS} schemas")),
            (long(&self.settings) || long(&self.schemas), "a setting or schema of more than 1 MiB".to_owned()),
            (self.monitor.len() > eddyline_wire::keys::MAX_NAME, "a monitor's name of more than 1024 bytes".to_owned()),
        ];
        match limits.into_iter().find(|(broken, _)| *broken) {
            Some((_, what)) => Err(ArchiveError::Limits(format!("it has {what}"))),
            None => Ok(()),
        }
    }
}

fn too_large() -> ArchiveError {
    ArchiveError::Limits(format!("it is larger than {} MiB", MOST_BYTES >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &[u8] = br#"{"v":1,"window_ms":1000,"blocks":[{"kind":"numeric","features":["count"]}]}"#;

    fn sample() -> Archive {
        let schemas = [(b"000000000000000b".to_vec(), SCHEMA.to_vec())];
        let settings = [(b"budget".to_vec(), b"0.2".to_vec())];
        Archive {
            monitor: b"checkout".to_vec(),
            release: "0.0.1".into(),
            model: None,
            settings: settings.into(),
            schemas: schemas.into(),
        }
    }

    #[test]
    fn a_file_reads_back_as_it_was_written() {
        assert_eq!(Archive::decode(&sample().encode().unwrap()).unwrap(), (sample(), None));
    }

    #[test]
    fn damage_is_noticed_wherever_it_is() {
        let good = sample().encode().unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert!(Archive::decode(&bad).is_err(), "byte {at}");
            assert!(Archive::decode(&good[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn each_refusal_says_why() {
        let refused = |change: fn(&mut Archive)| {
            let mut archive = sample();
            change(&mut archive);
            match archive.encode() {
                Ok(bytes) => Archive::decode(&bytes).unwrap_err().to_string(),
                Err(error) => error.to_string(),
            }
        };
        let of_model = refused(|archive| archive.model = Some(b"not a model, that is sure".to_vec()));
        assert_eq!(of_model, "its model can't be used: it isn't a checkpoint");
        let of_schema = refused(|archive| drop(archive.schemas.insert(b"b".to_vec(), b"{}".to_vec())));
        assert_eq!(of_schema, "its schema b can't be read: its id isn't 16 hexadecimal digits");
        let of_record = refused(|archive| drop(archive.schemas.insert(b"000000000000000c".to_vec(), b"{}".to_vec())));
        assert!(of_record.starts_with("its schema 000000000000000c can't be read: "), "{of_record}");
        let of_size = refused(|archive| drop(archive.settings.insert(vec![b'x'; LONGEST + 1], Vec::new())));
        assert_eq!(of_size, "it has a setting or schema of more than 1 MiB");
        assert_eq!(Archive::decode(b"PK").unwrap_err().to_string(), "it isn't a file of 'eddyline export'");
    }
}
