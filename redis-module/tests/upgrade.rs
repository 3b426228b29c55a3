//! Upgrades: what an older release wrote loads and goes on to the same fingerprints; what a newer one wrote is refused.
//!
//! `golden/v<encoding>-<state>.dump` holds the `DUMP` of a monitor, `….fingerprint` the vector that its release wrote after
//! one more observation. A release that raises the encoding adds its own files and never touches those that are there.

mod support;

use redis::{Connection, Value, from_redis_value_ref};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use support::{SOON, call, fingerprints, info, server, settled};

/// State, window end, observations in the open window.
const STATES: [(&str, u64, &str); 4] = [
    ("counting", 1_700_000_010_000, "200"),
    ("inferred", 1_700_000_003_000, "0"),
    ("waiting", 1_700_000_004_000, "0"),
    ("learning", 1_700_000_001_000, "40"),
];

fn golden(version: u8, state: &str, what: &str) -> Option<Vec<u8>> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/v{version}-{state}.{what}"));
    fs::read(file).ok()
}

fn restore(redis: &mut Connection, key: &str, dump: &[u8]) -> Result<(), redis::RedisError> {
    redis::cmd("RESTORE").arg(key).arg(0).arg(dump).exec(redis)
}

#[test]
fn every_older_encoding_loads_and_counts_on_as_before() {
    let server = server();
    let mut redis = server.connection().unwrap();
    for version in 1..=2 {
        for (state, end, observations) in STATES {
            call::<()>(&mut redis, "FLUSHALL");
            let dump = golden(version, state, "dump").unwrap_or_else(|| panic!("no golden dump v{version}-{state}"));
            restore(&mut redis, state, &dump).unwrap();
            assert_eq!(info(&mut redis, state, "open_observations"), observations, "v{version} {state}");
            call::<i64>(&mut redis, &format!("EDDY.OBSERVE {state} service pay latency_ms 12.5"));
            call::<i64>(&mut redis, &format!("EDDY.CLOSE {state} {end}"));
            if state == "counting" {
                // the source of the restored monitor is gone: its place in it is looked for again
                eddyline_testkit::eventually(SOON, || info(&mut redis, state, "waiting") == "0");
            } else {
                settled(&mut redis, state);
            }
            let vector = fingerprints(&mut redis, state).pop().map(|(id, fields)| {
                assert_eq!(id, format!("{end}-0"));
                fields.into_iter().find(|(name, _)| name == "v").expect("a vector").1
            });
            let bursts = bursts(&mut redis, state);
            let told = |vector: Vec<u8>| without(vector, &bursts);
            let (vector, expected) = (vector.map(told), golden(version, state, "fingerprint").map(told));
            assert_eq!(vector, expected, "v{version} {state}");
        }
    }
}

#[test]
fn a_dump_of_a_newer_release_is_refused_and_the_log_says_so() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m CLOCK stream WINDOW 1000 DIMENSIONS 1 service");
    let mut dump: Vec<u8> = call(&mut redis, "DUMP m");
    // the type's 64-bit id ends in 10 bits of its encoding version
    let id = dump.iter().position(|&byte| byte == 0x81).expect("a 64-bit length") + 8;
    dump[id] += 1;
    let end = dump.len() - 8;
    let crc = crc64(&dump[..end]);
    dump[end..].copy_from_slice(&crc.to_le_bytes());
    let error = restore(&mut redis, "n", &dump).unwrap_err().to_string();
    assert!(error.contains("Bad data format"), "{error}");
    assert!(server.log().contains("needs a newer module, this one reads up to 2"), "{}", server.log());
    assert_eq!(call::<i64>(&mut redis, "EXISTS n"), 0);
}

/// Where a vector has bursts: since they count the window before as well, they are others than those of encodings 1 and 2.
fn bursts(redis: &mut Connection, key: &str) -> Vec<usize> {
    let schema: BTreeMap<String, Value> = call(redis, &format!("EDDY.SCHEMA {key}"));
    let names: Vec<String> = schema.get("features").map_or_else(Vec::new, |names| from_redis_value_ref(names).unwrap());
    (0..names.len()).filter(|feature| names[*feature].ends_with(":burst")).collect()
}

fn without(mut vector: Vec<u8>, features: &[usize]) -> Vec<u8> {
    features.iter().for_each(|feature| vector[4 * feature..][..4].fill(0));
    vector
}

/// The checksum of a dump: CRC-64 of Jones, reflected.
fn crc64(bytes: &[u8]) -> u64 {
    const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ u64::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 })
    })
}
