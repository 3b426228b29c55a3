//! Commands out of the table of commands: as the grammar has them, then spoilt.

use crate::chance::Chance;
use crate::mutate::damage;
use crate::resp::Case;
use eddyline_wire::command::cms::CMS_COMMANDS;
use eddyline_wire::command::grammar::{Argument, Kind};
use eddyline_wire::command::table::{COMMANDS, Command};

/// Monitors that commands are about.
pub(crate) const KEYS: [&str; 6] = ["m", "n", "{s}:m", "{s}:", "a{}b", "plain"];
/// Streams that monitors read.
pub(crate) const STREAMS: [&str; 3] = ["s", "t", "plain"];
/// Fields that monitors watch.
pub(crate) const FIELDS: [&str; 6] = ["service", "status", "latency_ms", "user", "endpoint", "size"];

/// One of the module's commands.
pub(crate) fn any_command(chance: &mut Chance) -> &'static Command {
    let table = if chance.once_in(5) { CMS_COMMANDS } else { COMMANDS };
    chance.pick(table)
}

/// Arguments of `command`.
pub(crate) fn arguments(command: &Command, chance: &mut Chance) -> Case {
    let mut words = Vec::new();
    let tree = command.tree().expect("the table's lines are grammars, which its tests see to");
    sequence(&tree, &mut words, chance);
    words
}

fn sequence(list: &[Argument], words: &mut Case, chance: &mut Chance) {
    // where a number of names was said, and how many were
    let mut counted: Option<(usize, usize)> = None;
    for (at, argument) in list.iter().enumerate() {
        if argument.optional && chance.once_in(2) {
            continue;
        }
        let lists = list[at + 1..].iter().any(|later| later.multiple);
        if argument.name == "n" && lists {
            let n = 1 + chance.below(4);
            counted = Some((words.len(), n));
            words.push(n.to_string().into_bytes());
        } else if argument.multiple {
            repeat(argument, &mut counted, words, chance);
        } else {
            one(argument, words, chance);
        }
    }
}

fn repeat(argument: &Argument, counted: &mut Option<(usize, usize)>, words: &mut Case, chance: &mut Chance) {
    let first = words.len();
    let times = counted.map_or(1 + chance.below(3), |(_, n)| n);
    for _ in 0..times {
        let before = words.len();
        one(argument, words, chance);
        // names of a counted list must differ
        if counted.is_some() && argument.name != "value" && words[first..before].contains(&words[before]) {
            words.truncate(before);
        }
    }
    if let Some((at, n)) = counted {
        *n = if argument.name == "value" { *n } else { words.len() - first };
        words[*at] = n.to_string().into_bytes();
    }
}

fn one(argument: &Argument, words: &mut Case, chance: &mut Chance) {
    if let Some(token) = &argument.token {
        let token = if chance.once_in(8) { token.to_ascii_lowercase() } else { token.clone() };
        words.push(token.into_bytes());
    }
    match &argument.kind {
        Kind::Token => {}
        Kind::OneOf(choices) => one(&choices[chance.below(choices.len())], words, chance),
        Kind::Block(list) => sequence(list, words, chance),
        Kind::Key => words.push(match argument.name.as_str() {
            "key" => chance.pick(&KEYS).as_bytes().to_vec(),
            _ => chance.pick(&STREAMS).as_bytes().to_vec(),
        }),
        Kind::Integer => words.push(match argument.name.as_str() {
            // what is allowed, so that the rest of the command counts
            "n" | "ms" | "bytes" if chance.once_in(2) => chance.pick(&["1000", "100000"]).as_bytes().to_vec(),
            "b" | "k" | "width" | "depth" | "increment" if chance.once_in(2) => b"8".to_vec(),
            _ => chance.number_text(),
        }),
        Kind::Double => words.push(format!("0.{}", chance.below(1000)).into_bytes()),
        Kind::Text => words.push(text(&argument.name, chance)),
    }
}

fn text(name: &str, chance: &mut Chance) -> Vec<u8> {
    match name {
        "field" | "dimension" | "measure" => chance.pick(&FIELDS).as_bytes().to_vec(),
        "a*b" => format!("{}*{}", chance.pick(&FIELDS[..3]), chance.pick(&FIELDS[3..])).into_bytes(),
        "id" | "last-id" => format!("{}-{}", chance.number(), chance.below(3)).into_bytes(),
        "hex" => format!("{:032x}", chance.number()).into_bytes(),
        _ if chance.once_in(2) => chance.number_text(),
        _ => chance.bytes(12),
    }
}

/// Spoils `words`: one is left out, said twice, moved, or becomes something else.
pub(crate) fn spoil(words: &mut Case, chance: &mut Chance) {
    if words.is_empty() {
        return words.push(chance.bytes(8));
    }
    let at = chance.below(words.len());
    match chance.below(7) {
        0 => {
            words.remove(at);
        }
        1 => words.insert(at, words[chance.below(words.len())].clone()),
        2 => {
            let other = chance.below(words.len());
            words.swap(at, other);
        }
        3 => words[at] = chance.number_text(),
        4 => words[at] = damage(&words[at], b"WINDOW", chance),
        5 => words[at] = vec![b'x'; *chance.pick(&[1023, 1024, 1025, 70_000])],
        _ => words[at] = chance.bytes(24),
    }
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, arguments};
    use crate::chance::Chance;
    use eddyline_wire::command::create::Create;
    use eddyline_wire::command::mobserve::Mobserve;

    #[test]
    fn many_commands_made_from_the_table_are_valid() {
        let mut chance = Chance::new(3, "grammar");
        let mut valid = |name: &str, parses: fn(&[&[u8]]) -> bool| {
            let command = COMMANDS.iter().find(|command| command.name == name).expect("it is in the table");
            let made = (0..400).map(|_| arguments(command, &mut chance));
            made.filter(|words| parses(&words.iter().map(Vec::as_slice).collect::<Vec<_>>())).count()
        };
        assert!(valid("EDDY.CREATE", |words| Create::parse(words).is_ok()) > 10);
        assert!(valid("EDDY.MOBSERVE", |words| Mobserve::parse(words).is_ok()) > 200);
    }
}
