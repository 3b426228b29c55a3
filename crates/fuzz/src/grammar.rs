//! Commands out of the table of commands: as the grammar has them, then spoilt.

use crate::chance::Chance;
use crate::mutate::damage;
use crate::resp::Case;
use std::str::SplitWhitespace;

/// Monitors that commands are about.
pub(crate) const KEYS: [&str; 6] = ["m", "n", "{s}:m", "{s}:", "a{}b", "plain"];
/// Streams that monitors read.
pub(crate) const STREAMS: [&str; 3] = ["s", "t", "plain"];
/// Fields that monitors watch.
pub(crate) const FIELDS: [&str; 6] = ["service", "status", "latency_ms", "user", "endpoint", "size"];

/// Arguments by `spec`, as `EDDY.HELP` prints it.
pub(crate) fn arguments(spec: &str, chance: &mut Chance) -> Case {
    let spaced = spec.replace('[', " [ ").replace(']', " ] ");
    let mut words = Vec::new();
    group(&mut spaced.split_whitespace(), true, &mut 1, &mut words, chance);
    words
}

fn group(tokens: &mut SplitWhitespace<'_>, said: bool, n: &mut usize, words: &mut Case, chance: &mut Chance) {
    let mut unsaid = Vec::new();
    let mut last = "";
    while let Some(token) = tokens.next() {
        let out = if said { &mut *words } else { &mut unsaid };
        match token {
            "]" => return,
            "[" => {
                let said = said && chance.once_in(2);
                group(tokens, said, n, words, chance);
            }
            "..." => {
                for _ in 0..chance.below(3) {
                    out.push(word(last, chance));
                }
            }
            "n" if out.last().is_some_and(|option| option == b"RETENTION") => {
                out.push((100 + chance.below(1000)).to_string().into_bytes());
            }
            "n" => {
                *n = 1 + chance.below(4);
                out.push(n.to_string().into_bytes());
            }
            list if list.ends_with("...") => {
                let first = out.len();
                for _ in 0..*n {
                    let word = word(list.trim_end_matches('.'), chance);
                    // names of a list must differ
                    if list == "value..." || !out[first..].contains(&word) {
                        out.push(word);
                    }
                }
                if let Some(said) = first.checked_sub(1).filter(|_| list != "value..." && *n > 0) {
                    *n = out.len() - first;
                    out[said] = n.to_string().into_bytes();
                }
            }
            _ => {
                let choices: Vec<&str> = token.split('|').collect();
                last = choices[chance.below(choices.len())];
                out.push(word(last, chance));
            }
        }
    }
}

fn word(name: &str, chance: &mut Chance) -> Vec<u8> {
    match name {
        _ if name.chars().all(|c| c.is_ascii_uppercase() || c == '$') => name.into(),
        "server" | "stream" if chance.once_in(2) => name.into(),
        "key" => chance.pick(&KEYS).as_bytes().to_vec(),
        "stream" | "source" => chance.pick(&STREAMS).as_bytes().to_vec(),
        "field" | "dimension" | "measure" | "unique" => chance.pick(&FIELDS).as_bytes().to_vec(),
        "a*b" => format!("{}*{}", chance.pick(&FIELDS[..3]), chance.pick(&FIELDS[3..])).into_bytes(),
        "id" | "last-id" => format!("{}-{}", chance.number(), chance.below(3)).into_bytes(),
        "ms" if chance.once_in(2) => b"1000".to_vec(),
        "b" if chance.once_in(2) => b"32".to_vec(),
        "bytes" if chance.once_in(2) => b"1000000".to_vec(),
        "ms" | "end-ms" | "b" | "bytes" | "k" => chance.number_text(),
        "q" => format!("0.{}", chance.below(1000)).into_bytes(),
        "yes" | "no" => name.into(),
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
    use super::arguments;
    use crate::chance::Chance;
    use eddyline_wire::command::create::Create;
    use eddyline_wire::command::mobserve::Mobserve;
    use eddyline_wire::command::table::COMMANDS;

    #[test]
    fn many_commands_made_from_the_table_are_valid() {
        let mut chance = Chance::new(3, "grammar");
        let mut valid = |name: &str, parses: fn(&[&[u8]]) -> bool| {
            let spec = COMMANDS.iter().find(|command| command.name == name).expect("it is in the table").arguments;
            let made = (0..400).map(|_| arguments(spec, &mut chance));
            made.filter(|words| parses(&words.iter().map(Vec::as_slice).collect::<Vec<_>>())).count()
        };
        assert!(valid("EDDY.CREATE", |words| Create::parse(words).is_ok()) > 10);
        assert!(valid("EDDY.MOBSERVE", |words| Mobserve::parse(words).is_ok()) > 200);
    }
}
