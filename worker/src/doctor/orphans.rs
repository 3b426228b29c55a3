//! Keys that a monitor left behind: DEL, RENAME and eviction take one key, not its companions.

use super::code::Code;
use super::finding::Finding;
use super::patient::Patient;
use eddyline_wire::keys::Companions;
use eddyline_wire::text::printable;
use redis::RedisResult;
use std::collections::{BTreeMap, BTreeSet};

/// Keys looked at in one go.
const PAGE: usize = 2000;

/// What looks like a companion, by the name of the monitor whose it would be.
pub type Owned = BTreeMap<Vec<u8>, Owner>;

/// A monitor that may be gone.
#[derive(Debug)]
pub struct Owner {
    /// Its keys.
    pub keys: Companions,
    /// The companions that exist.
    pub companions: BTreeSet<Vec<u8>>,
}

/// Looks through the whole database.
///
/// # Errors
/// Trouble with Redis.
pub fn owned(patient: &mut Patient) -> RedisResult<Owned> {
    let (mut owned, mut cursor) = (Owned::new(), 0_u64);
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg("*{*}*:*").arg("COUNT").arg(PAGE);
        let Some((next, keys)): Option<(u64, Vec<Vec<u8>>)> = patient.ask(&scan)? else { return Ok(owned) };
        for key in keys {
            if let Some(keys) = Companions::owning(&key) {
                let owner = owned.entry(keys.monitor().to_vec());
                owner.or_insert_with(|| Owner { keys, companions: BTreeSet::new() }).companions.insert(key);
            }
        }
        cursor = next;
        if cursor == 0 {
            return Ok(owned);
        }
    }
}

/// What is wrong with the companions of a name that isn't a monitor's.
///
/// # Errors
/// Trouble with Redis.
pub fn finding(patient: &mut Patient, owner: &Owner) -> RedisResult<Option<Finding>> {
    let Owner { keys, companions } = owner;
    if companions.contains(&keys.counting()) {
        return uncounted(patient, keys);
    }
    let name = printable(keys.monitor(), 128);
    let listed = companions.iter().map(|key| printable(key, 128)).collect::<Vec<_>>().join(", ");
    let remove = format!("eddyline delete '{name}' --dry-run shows them, without --dry-run it removes them");
    if !companions.contains(&keys.fingerprints()) {
        // what keeps workers away from a name that is gone goes by itself
        let expires: Option<i64> = patient.ask(redis::cmd("PTTL").arg(keys.lease()))?;
        let passing = companions.iter().all(|key| *key == keys.lease()) && expires.is_some_and(|left| left != -1);
        return Ok((!passing).then(|| {
            let what = format!("keys of a monitor that doesn't exist, and no fingerprints to score: {listed}");
            Finding::problem(Code::LeftBehind, &name, what, remove)
        }));
    }
    let own: Option<Option<String>> = patient.ask(redis::cmd("HGET").arg(keys.settings()).arg("period_ms"))?;
    let is_own = own.flatten().is_some();
    Ok((!is_own).then(|| {
        let what = format!("fingerprints without a monitor: left behind by DEL, or vectors of your own: {listed}");
        let cure = format!("{remove}; for your own vectors, HSET {} period_ms 5000", printable(&keys.settings(), 128));
        Finding::advice(Code::NoMonitor, &name, what, cure)
    }))
}

/// A monitor that a worker counts in place of the module is no orphan while one does.
fn uncounted(patient: &mut Patient, keys: &Companions) -> RedisResult<Option<Finding>> {
    let held: Option<bool> = patient.ask(redis::cmd("EXISTS").arg(keys.counting_lease()))?;
    Ok((held == Some(false)).then(|| {
        let name = printable(keys.monitor(), 128);
        let cure = format!("start 'eddyline worker' with the --count that it had; or eddyline delete '{name}'");
        Finding::problem(Code::NotCounted, &name, "no worker counts it: its stream isn't read", cure)
    }))
}
