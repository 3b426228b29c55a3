//! The grammar of every command: never a panic, and what is written parses to what it was.

use crate::chance::Chance;
use crate::grammar::{any_command, arguments, spoil};
use crate::resp::Case;
use crate::target::{Harm, Target, Tried, each};
use anyhow::Result;
use eddyline_wire::command::alter::Alter;
use eddyline_wire::command::close::Close;
use eddyline_wire::command::cms::{Increments, Merge};
use eddyline_wire::command::count::Count;
use eddyline_wire::command::create::Create;
use eddyline_wire::command::fingerprint::FingerprintOf;
use eddyline_wire::command::mobserve::Mobserve;
use eddyline_wire::command::observe::Observe;
use eddyline_wire::command::quantile::Quantile;
use eddyline_wire::command::read::Read;
use eddyline_wire::command::sent::Sent;
use eddyline_wire::command::top::TopOf;
use eddyline_wire::command::{Arguments, EntryId};
use eddyline_wire::keys::Companions;

pub(crate) struct Commands;

impl Target for Commands {
    fn case(&mut self, chance: &mut Chance) -> Case {
        let command = any_command(chance);
        let mut words = arguments(command, chance);
        for _ in 0..chance.below(4) {
            spoil(&mut words, chance);
        }
        words.insert(0, command.name.into());
        words
    }

    fn try_all(&mut self, cases: &[Case]) -> Result<Tried> {
        Ok(each(cases, try_one))
    }
}

fn try_one(case: &Case) -> Result<bool, Harm> {
    let Some((name, words)) = case.split_first() else { return Ok(false) };
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    words.iter().try_for_each(|word| try_word(word))?;
    Ok(match String::from_utf8_lossy(name).as_ref() {
        "EDDY.CREATE" => try_create(&words)?,
        "EDDY.OBSERVE" => Observe::parse(&words).is_ok_and(|observe| observe.fields().count() > 0),
        "EDDY.MOBSERVE" => Mobserve::parse(&words)
            .is_ok_and(|mobserve| !mobserve.values.is_empty() && mobserve.values.len() % mobserve.columns.len() == 0),
        "EDDY.FINGERPRINT" => FingerprintOf::parse(&words).is_ok(),
        "CMS.MERGE" => Merge::parse(&words).is_ok(),
        "CMS.INCRBY" => {
            let checked = Increments::pairs(words.get(1..).unwrap_or_default()).and_then(Increments::check);
            checked.is_ok_and(|increments| increments.iter().count() > 0)
        }
        "EDDY.COUNT" => Count::parse(&words).is_ok(),
        "EDDY.TOP" => TopOf::parse(&words).is_ok(),
        "EDDY.QUANTILE" => Quantile::parse(&words).is_ok(),
        "EDDY.ALTER" => Alter::parse(&words).is_ok(),
        "EDDY.CLOSE" => Close::parse(&words).is_ok(),
        "EDDY.READ" => Read::parse(&words).is_ok(),
        "EDDY.SENT" => Sent::parse(&words).is_ok(),
        _ => Arguments::new("any", &words).end().is_ok(),
    })
}

/// A definition that was written says what it said.
fn try_create(words: &[&[u8]]) -> Result<bool, Harm> {
    let Ok(create) = Create::parse(words) else { return Ok(false) };
    let written = create.to_arguments();
    let again: Vec<&[u8]> = written[1..].iter().map(Vec::as_slice).collect();
    match Create::parse(&again) {
        Ok(again) if again == create => Ok(true),
        Ok(again) => Err(format!("{create:?} was written and read as {again:?}")),
        Err(error) => Err(format!("{create:?} was written and refused: {error}")),
    }
}

fn try_word(word: &[u8]) -> Result<(), Harm> {
    if let Some(id) = EntryId::parse(word)
        && EntryId::parse(id.to_string().as_bytes()) != Some(id)
    {
        return Err(format!("{id} isn't the id that it was written as"));
    }
    if let Ok(keys) = Companions::of(word) {
        let companions = [keys.fingerprints(), keys.schemas(), keys.lease_tokens(), keys.alerts()];
        if companions.iter().any(|key| key == word) {
            return Err("a companion has its monitor's name".to_owned());
        }
    }
    for limit in [0, 1, 7, 64] {
        let text = eddyline_wire::text::printable(word, limit);
        if text.trim_end_matches('…').len() > limit {
            return Err(format!("{text:?} is longer than {limit}"));
        }
    }
    Ok(())
}
