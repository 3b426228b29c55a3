//! The faulty service of each fault of the labelled traces, in the explanation of the fault's best window.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use eddyline_detect::Settings;
use eddyline_monitor::{Clock, Definition, Measure};
use eddyline_testkit::data_dir;
use flate2::read::GzDecoder;

use super::super::watched::{Judged, Watched};
use super::{Tally, items};

const WINDOW_MS: u64 = 10_000;
/// Windows that teach the baseline.
const WARM_UP: usize = 60;
/// Silence that is no data.
const GAP_MS: u64 = 30_000;
/// What is watched: as the other tables have it, and with how long the services' own spans take, because nobody calls the
/// one in front.
const WATCHED: [&[&str]; 2] = [&["peer_service"], &["peer_service", "service"]];

pub(super) fn tallies() -> Result<Vec<(String, Tally)>> {
    let mut tallies = Vec::new();
    for set in ["trainticket", "onlineboutique"] {
        let Some(folder) = data_dir(set) else { continue };
        for watched in WATCHED {
            let mut tally = Tally::default();
            let judged = judge(&folder.join("events.csv.gz"), watched)?;
            for fault in faults(&folder.join("faults.csv"))? {
                let during = judged.iter().skip(WARM_UP).filter(|judged| fault.covers(judged));
                let Some(best) = during.clone().max_by(|a, b| a.score.total_cmp(&b.score)) else { continue };
                let told = during.filter_map(|judged| judged.told.as_ref());
                let told = told.map(|incident| fault.place(&items(&incident.causes)));
                let told = told.reduce(|a, b| [a, b].into_iter().flatten().min());
                let named = items(&best.causes);
                if fault.place(&named).is_none_or(|place| place >= 3) {
                    println!("{set}, {} by {watched:?}: score {:.2}, {named:?}", fault.what, best.score);
                }
                tally.count(fault.place(&named), told);
            }
            let crosses: Vec<String> = watched.iter().map(|field| format!("`{field}*duration_us`")).collect();
            tallies.push((format!("{set}: faulty service by {}", crosses.join(" and ")), tally));
        }
    }
    Ok(tallies)
}

struct Fault {
    start_ms: u64,
    end_ms: u64,
    service: String,
    what: String,
}

impl Fault {
    /// Whether the window's centre lies in it.
    fn covers(&self, judged: &Judged) -> bool {
        (self.start_ms..self.end_ms).contains(&(judged.end_ms - WINDOW_MS / 2))
    }

    fn place(&self, named: &[&str]) -> Option<usize> {
        named.iter().position(|item| *item == self.service)
    }
}

fn faults(file: &Path) -> Result<Vec<Fault>> {
    let mut table = csv::Reader::from_path(file).with_context(|| format!("{} can't be read", file.display()))?;
    let mut faults = Vec::new();
    for row in table.records() {
        let row = row?;
        let [id, start, end, service, kind] = [0, 1, 2, 3, 4].map(|column| row.get(column).unwrap_or_default());
        faults.push(Fault {
            start_ms: 1000 * start.parse::<u64>()?,
            end_ms: 1000 * end.parse::<u64>()?,
            service: service.to_owned(),
            what: format!("fault {id}, {service} {kind}"),
        });
    }
    Ok(faults)
}

fn judge(file: &Path, groups: &[&str]) -> Result<Vec<Judged>> {
    let open = File::open(file).with_context(|| format!("{} can't be read", file.display()))?;
    let mut table = csv::Reader::from_reader(GzDecoder::new(open));
    let columns: Vec<String> = table.headers()?.iter().map(str::to_owned).collect();
    let at = |name: &str| columns.iter().position(|column| column == name).with_context(|| format!("no column {name}"));
    let time = at("ts_ms")?;
    let fields: Vec<usize> = groups.iter().chain(&["duration_us"]).map(|name| at(name)).collect::<Result<_>>()?;
    let part = |field: &str, first_edge| Measure { field: field.to_owned(), first_edge };
    let definition = Definition {
        window_ms: WINDOW_MS,
        clock: Clock::Stream,
        sources: vec![b"spans".to_vec()],
        crosses: groups.iter().map(|group| vec![part(group, None), part("duration_us", Some(250.0))]).collect(),
        ..Definition::default()
    };
    let mut watched = Watched::new(definition, Settings::new(WINDOW_MS))?;
    let (mut judged, mut row, mut last) = (Vec::new(), csv::StringRecord::new(), None);
    while table.read_record(&mut row)? {
        let ms = row.get(time).unwrap_or_default().parse::<u64>()?;
        if last.is_some_and(|last| ms > last + GAP_MS) {
            judged.extend(watched.skip(ms)?);
        }
        last = Some(ms);
        let value = |column: &usize| row.get(*column).unwrap_or_default();
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|column| (columns[*column].as_str(), value(column)))
            .filter(|(_, value)| *value != "-")
            .collect();
        judged.extend(watched.event(ms, &fields)?);
    }
    Ok(judged)
}
