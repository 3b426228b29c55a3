//! What stands in streams and hashes, where any client may write: fingerprints, schemas, alerts.

use crate::chance::Chance;
use crate::mutate::damage;
use crate::resp::Case;
use crate::target::{Harm, Target, Tried, each};
use anyhow::Result;
use eddyline_wire::alert::Alert;
use eddyline_wire::fingerprint::{Fingerprint, Top};
use eddyline_wire::schema::Schema;

const SCHEMA: &[u8] = include_bytes!("../../../wire/fixtures/schema.json");
const ALERT: &[u8] = include_bytes!("../../../wire/fixtures/alert.json");

pub(crate) struct Records;

impl Target for Records {
    fn case(&mut self, chance: &mut Chance) -> Case {
        match chance.below(3) {
            0 => vec![b"schema".to_vec(), damage(SCHEMA, ALERT, chance)],
            1 => vec![b"alert".to_vec(), damage(ALERT, SCHEMA, chance)],
            _ => fingerprint(chance),
        }
    }

    fn try_all(&mut self, cases: &[Case]) -> Result<Tried> {
        Ok(each(cases, try_one))
    }
}

/// `fingerprint`, the entry's id, then fields and values, some of them damaged, left out or said twice.
fn fingerprint(chance: &mut Chance) -> Case {
    let item = chance.bytes(120);
    let top = Top::of((0..chance.below(40)).map(|i| ("service", item.as_slice(), i as u64, i as u32)));
    let good = Fingerprint {
        end_ms: chance.number(),
        n: chance.number(),
        schema: chance.number(),
        values: (0..chance.below(40)).map(|_| f32::from_bits(chance.number() as u32)).collect(),
        top,
        gap_ms: chance.number(),
        partial: chance.once_in(2),
    };
    let mut case = vec![b"fingerprint".to_vec(), good.id().into_bytes()];
    for (field, value) in good.to_fields() {
        for _ in 0..*chance.pick(&[1, 1, 1, 1, 1, 0, 2]) {
            let field = if chance.once_in(20) { chance.bytes(6) } else { field.into() };
            case.push(field);
            case.push(if chance.once_in(4) { damage(&value, b"18446744073709551616", chance) } else { value.clone() });
        }
    }
    case
}

fn try_one(case: &Case) -> Result<bool, Harm> {
    match &case[..] {
        [kind, json] if kind == b"schema" => try_schema(json),
        [kind, json] if kind == b"alert" => try_alert(json),
        [kind, id, fields @ ..] if kind == b"fingerprint" => try_fingerprint(&String::from_utf8_lossy(id), fields),
        _ => Ok(false),
    }
}

fn try_schema(json: &[u8]) -> Result<bool, Harm> {
    let Ok(schema) = Schema::from_json(json) else { return Ok(false) };
    let text = schema.to_json();
    match Schema::from_json(text.as_bytes()) {
        Ok(again) if again == schema => Ok(true),
        other => Err(format!("the schema {text} reads back as {other:?}")),
    }
}

fn try_alert(json: &[u8]) -> Result<bool, Harm> {
    let Ok(alert) = serde_json::from_slice::<Alert>(json) else { return Ok(false) };
    let text = alert.to_json();
    match serde_json::from_str::<Alert>(&text) {
        Ok(again) if again == alert => Ok(true),
        other => Err(format!("the alert {text} reads back as {other:?}")),
    }
}

fn try_fingerprint(id: &str, fields: &[Vec<u8>]) -> Result<bool, Harm> {
    let pairs = |fields: &[Vec<u8>]| {
        let (pairs, _) = fields.as_chunks::<2>();
        pairs.to_vec()
    };
    let read = |id: &str, pairs: &[[Vec<u8>; 2]]| {
        Fingerprint::from_fields(id, pairs.iter().map(|[field, value]| (field.as_slice(), value.as_slice())))
    };
    let Ok(fingerprint) = read(id, &pairs(fields)) else { return Ok(false) };
    let written: Vec<Vec<u8>> =
        fingerprint.to_fields().into_iter().flat_map(|(field, value)| [field.as_bytes().to_vec(), value]).collect();
    let again = read(&fingerprint.id(), &pairs(&written)).map_err(|error| error.to_string())?;
    // compared as bytes: NaN differs from itself
    if again.to_fields() == fingerprint.to_fields() { Ok(true) } else { Err(format!("{id} reads back as {again:?}")) }
}
