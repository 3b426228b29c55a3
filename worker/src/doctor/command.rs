//! The examination, from top to toe, and how it is told.

use super::clock::Clocks;
use super::code::Code;
use super::finding::{Finding, Level, SERVER};
use super::monitors::{self, Glance};
use super::orphans;
use super::patient::Patient;
use super::server::{self, Facts};
use super::{activity, clock, replicas, rights, service};
use crate::store::connect::Address;
use crate::store::discovery;
use eddyline_wire::keys::Companions;
use eddyline_wire::text::printable;
use redis::{RedisError, RedisResult};
use serde::Serialize;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, Write};
use std::thread::sleep;
use std::time::Duration;

/// Between two looks at what may be about to get better: longer than a lease is free while one worker hands it to another,
/// and than the module waits with a fingerprint.
const MOMENT: Duration = Duration::from_millis(2500);

/// All that was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Where.
    pub address: String,
    /// Name and version of the server.
    pub server: String,
    /// Release of the module.
    pub module: Option<String>,
    /// The monitors, and the names that have fingerprints only.
    pub monitors: Vec<String>,
    /// Problems first.
    pub findings: Vec<Finding>,
}

/// Looks at everything.
///
/// # Errors
/// Trouble with Redis.
pub fn examine(address: &Address) -> RedisResult<Report> {
    let ours = env!("CARGO_PKG_VERSION");
    let mut patient = Patient::new(address.connect_blocking_for_command()?);
    let config: Option<BTreeMap<String, String>> =
        patient.try_ask(redis::cmd("CONFIG").arg("GET").arg("save").arg("appendonly"))?;
    let facts = Facts { info: patient.info()?, config: config.unwrap_or_default() };
    let mut findings = server::findings(&facts, ours);
    if facts.module().is_some() {
        findings.extend(replicas::findings(&facts, address, ours));
    }

    let (watched, unnamed) = watched(&mut patient)?;
    findings.extend(unnamed);
    let mut looked_at: BTreeMap<Vec<u8>, Companions> =
        watched.into_iter().map(|keys| (keys.monitor().to_vec(), keys)).collect();
    for (name, owner) in orphans::owned(&mut patient)? {
        let Entry::Vacant(unknown) = looked_at.entry(name) else { continue };
        findings.extend(orphans::finding(&mut patient, &owner)?);
        if owner.companions.contains(&owner.keys.counting()) {
            // a worker does what the module would
            findings.retain(|finding| finding.code != Code::NoModule);
        }
        if owner.companions.contains(&owner.keys.fingerprints()) {
            unknown.insert(owner.keys);
        }
    }
    let clocks = clock::look(&mut patient)?;
    findings.extend(clocks.and_then(clock::finding));
    findings.extend(twice(&mut patient, &looked_at, &facts, clocks)?);
    if let Some(keys) = looked_at.values().next() {
        findings.extend(rights::findings(&mut patient, keys, facts.module().is_some())?);
    }
    findings.extend(patient.refusals());
    findings.sort_by_key(|finding| finding.level);
    let findings = bounded(findings);
    Ok(Report {
        address: address.shown().to_owned(),
        server: facts.server(),
        module: facts.module().map(str::to_owned),
        monitors: looked_at.keys().map(|name| printable(name, 128)).collect(),
        findings,
    })
}

/// The monitors that the module lists, and what is wrong with their names.
fn watched(patient: &mut Patient) -> RedisResult<(Vec<Companions>, Vec<Finding>)> {
    let names: Option<Vec<Vec<u8>>> = match patient.ask(&redis::cmd("EDDY.LIST")) {
        Err(error) if discovery::is_unknown_command(&error) => None,
        listed => listed?,
    };
    let (mut watched, mut findings) = (Vec::new(), Vec::new());
    for name in names.unwrap_or_default() {
        match Companions::of(&name) {
            Ok(keys) => watched.push(keys),
            Err(error) => {
                let name = printable(&name, 128);
                let what = format!("its fingerprints can't be written: {error}");
                findings.push(Finding::problem(
                    Code::BadName,
                    &name,
                    what,
                    format!("redis-cli RENAME '{name}' to such a name"),
                ));
            }
        }
    }
    Ok((watched, findings))
}

/// What is wrong with workers and monitors, looked at twice where that tells more.
fn twice(
    patient: &mut Patient,
    monitors: &BTreeMap<Vec<u8>, Companions>,
    facts: &Facts,
    clocks: Option<Clocks>,
) -> RedisResult<Vec<Finding>> {
    let crew = service::look(patient, clocks)?;
    let mut first = Vec::new();
    for keys in monitors.values() {
        first.push((keys, monitors::look(patient, keys)?));
    }
    if crew.unnotified || first.iter().any(|(_, glance): &(_, Glance)| glance.is_suspicious()) {
        sleep(MOMENT);
    }
    let now = service::look(patient, clocks)?;
    let mut findings = service::findings(patient, crew, now, clocks)?;
    for (keys, before) in &first {
        let again = if before.is_suspicious() { Some(monitors::look(patient, keys)?) } else { None };
        let again = again.as_ref().unwrap_or(before);
        findings.extend(monitors::findings(patient, keys, before, again, facts, now)?);
        findings.extend(activity::findings(patient, keys, before, again, clocks)?);
    }
    Ok(findings)
}

/// Of findings alike, as many are told one by one; of the rest their number.
const ALIKE: usize = 20;

fn bounded(findings: Vec<Finding>) -> Vec<Finding> {
    let mut told: BTreeMap<(Level, Code), usize> = BTreeMap::new();
    let mut kept = Vec::new();
    for finding in findings {
        let count = told.entry((finding.level, finding.code)).or_default();
        *count += 1;
        if *count <= ALIKE {
            kept.push(finding);
        }
    }
    for ((level, code), count) in told.into_iter().filter(|(_, count)| *count > ALIKE) {
        let what = format!("{} more are like the {ALIKE} that are named: {code}", count - ALIKE);
        let more = Finding::problem(code, "others", what, "see those that are named");
        kept.push(Finding { level, ..more });
    }
    kept.sort_by_key(|finding| finding.level);
    kept
}

impl Report {
    /// Whether nothing is wrong; advice may remain.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.findings.iter().all(|finding| finding.level != Level::Problem)
    }

    fn tell(&self, out: &mut impl Write) -> io::Result<()> {
        let module = self.module.as_ref().map_or("no module".to_owned(), |release| format!("module {release}"));
        let monitors = match &self.monitors[..] {
            [] => "no monitors".to_owned(),
            names => format!("monitors: {}", names.join(", ")),
        };
        writeln!(out, "{}: {}, {module}, {monitors}", self.address, self.server)?;
        for Finding { level, code, about, what, cure } in &self.findings {
            let level = if *level == Level::Problem { "PROBLEM" } else { "advice" };
            let about = if about == SERVER { "the server" } else { about };
            writeln!(out, "\n{level} with {about}: {what} ({code})\n  -> {cure}")?;
        }
        let problems = self.findings.iter().filter(|finding| finding.level == Level::Problem).count();
        match (problems, self.findings.len()) {
            (0, 0) => writeln!(out, "all is well"),
            (0, _) => writeln!(out, "\nnothing is wrong"),
            (1, _) => writeln!(out, "\n1 problem"),
            (problems, _) => writeln!(out, "\n{problems} problems"),
        }
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// Trouble with Redis.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// Nobody reads it.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// Examines and tells; says whether nothing is wrong.
///
/// # Errors
/// See [`DoctorError`].
pub fn run(address: &Address, json: bool) -> Result<bool, DoctorError> {
    let report = examine(address)?;
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &report).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        report.tell(&mut out)?;
    }
    Ok(report.is_healthy())
}
