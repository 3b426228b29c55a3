//! A command's line of arguments as a tree. The one line that `EDDY.HELP` prints also gives what `COMMAND DOCS` shows and
//! where the keys stand, so the three can't disagree.
//!
//! In a line, words in capitals and signs stand for themselves, other words name a value; `[...]` may be left out, `a|b`
//! is a choice, and `x...`, `x [x ...]` and `x y [x y ...]` may repeat.

/// One argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// What the line calls it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The word before it, or, of a [`Kind::Token`], the word that it is.
    pub token: Option<String>,
    /// It may be left out.
    pub optional: bool,
    /// It may stand more than once.
    pub multiple: bool,
}

/// What an argument is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The name of a key.
    Key,
    /// A whole number.
    Integer,
    /// A number.
    Double,
    /// Any bytes.
    Text,
    /// A word that stands for itself.
    Token,
    /// One of these.
    OneOf(Vec<Argument>),
    /// All of these, in this order.
    Block(Vec<Argument>),
}

/// Where keys stand; the command's name is at 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// One key, here.
    At(usize),
    /// A number here, then as many keys.
    CountedAt(usize),
    /// The word, a number, then as many keys.
    CountedAfter(String),
}

const KEYS: &[&str] = &["key", "stream", "source", "destination"];
const INTEGERS: &[&str] = &["n", "b", "k", "ms", "bytes", "end-ms", "numkeys", "width", "depth", "increment", "weight"];
const DOUBLES: &[&str] = &["q", "error", "probability"];

impl Argument {
    fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind, token: None, optional: false, multiple: false }
    }

    /// One word of a line.
    fn of_word(word: &str) -> Self {
        if let Some(word) = word.strip_suffix("...") {
            return Self { multiple: true, ..Self::of_word(word) };
        }
        if word.contains('|') {
            let choices: Vec<Self> = word.split('|').map(Self::of_word).collect();
            let names: Vec<&str> = choices.iter().map(|choice| choice.name.as_str()).collect();
            return Self::new(names.join("-or-"), Kind::OneOf(choices));
        }
        if !word.chars().any(|c| c.is_ascii_lowercase()) {
            return Self { token: Some(word.to_owned()), ..Self::new(word.to_ascii_lowercase(), Kind::Token) };
        }
        let kind = match word {
            _ if KEYS.contains(&word) => Kind::Key,
            _ if INTEGERS.contains(&word) => Kind::Integer,
            _ if DOUBLES.contains(&word) => Kind::Double,
            _ => Kind::Text,
        };
        Self::new(word, kind)
    }
}

/// Reads a line.
///
/// # Errors
/// What is wrong with it.
pub fn arguments(line: &str) -> Result<Vec<Argument>, &'static str> {
    let spaced = line.replace('[', " [ ").replace(']', " ] ");
    let mut words = spaced.split_whitespace();
    let arguments = sequence(&mut words, false)?;
    if words.next().is_some() { Err("a ] too many") } else { Ok(arguments) }
}

fn sequence<'a>(words: &mut impl Iterator<Item = &'a str>, inner: bool) -> Result<Vec<Argument>, &'static str> {
    let mut list: Vec<Argument> = Vec::new();
    loop {
        match words.next() {
            Some("]") if inner => return Ok(list),
            None if !inner => return Ok(list),
            Some("]") => return Err("a ] without its ["),
            None => return Err("a [ without its ]"),
            Some("[") => {
                let group = sequence(words, true)?;
                match group.split_last() {
                    None => return Err("nothing between [ and ]"),
                    Some((dots, repeated)) if dots.name.is_empty() => repeat(&mut list, repeated)?,
                    Some(_) => list.push(Argument { optional: true, ..joined(group) }),
                }
            }
            Some("...") => list.push(Argument { multiple: true, ..Argument::new("", Kind::Text) }),
            Some(word) => {
                let argument = Argument::of_word(word);
                match list.last_mut() {
                    // outside of brackets a token belongs to the one value behind it
                    Some(last) if !inner && last.kind == Kind::Token && !last.optional => {
                        let token = last.token.take();
                        *last = Argument { token, ..argument };
                    }
                    _ => list.push(argument),
                }
            }
        }
    }
}

/// The end of `list`, which `repeated` names once more, may stand several times.
fn repeat(list: &mut Vec<Argument>, repeated: &[Argument]) -> Result<(), &'static str> {
    let start = list.len().checked_sub(repeated.len()).filter(|start| list[*start..] == *repeated);
    let once = list.split_off(start.ok_or("a repetition of something else")?);
    if once.is_empty() {
        return Err("a repetition of nothing");
    }
    list.push(Argument { multiple: true, ..joined(once) });
    Ok(())
}

/// What stands between brackets as one argument.
fn joined(mut group: Vec<Argument>) -> Argument {
    if group.len() == 1 {
        return group.remove(0);
    }
    if group[0].kind != Kind::Token {
        let names: Vec<&str> = group.iter().map(|argument| argument.name.as_str()).collect();
        return Argument::new(names.join("-"), Kind::Block(group));
    }
    let Argument { name, token, .. } = group.remove(0);
    match group.len() {
        1 => Argument { token, ..group.remove(0) },
        _ => Argument { token, ..Argument::new(name, Kind::Block(group)) },
    }
}

/// Where the keys stand, in the order of the line.
#[must_use]
pub fn keys(arguments: &[Argument]) -> Vec<Keys> {
    let mut found = Vec::new();
    for (i, argument) in arguments.iter().enumerate() {
        match &argument.kind {
            Kind::Key if argument.multiple => found.push(Keys::CountedAt(i)),
            Kind::Key => found.push(Keys::At(i + 1)),
            Kind::Block(of) if of.iter().any(|argument| argument.kind == Kind::Key) => {
                found.extend(argument.token.clone().map(Keys::CountedAfter));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree in one line: `name:kind`, `TOKEN=`, `?` optional, `+` multiple.
    fn shown(arguments: &[Argument]) -> String {
        let one = |argument: &Argument| {
            let kind = match &argument.kind {
                Kind::OneOf(of) => format!("oneof({})", shown(of)),
                Kind::Block(of) => format!("block({})", shown(of)),
                kind => format!("{kind:?}").to_lowercase(),
            };
            let token = argument.token.as_ref().map(|token| format!("{token}=")).unwrap_or_default();
            let (optional, multiple) =
                (if argument.optional { "?" } else { "" }, if argument.multiple { "+" } else { "" });
            format!("{token}{}:{kind}{optional}{multiple}", argument.name)
        };
        arguments.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    fn tree(line: &str) -> String {
        arguments(line).map_or_else(str::to_owned, |arguments| shown(&arguments))
    }

    #[test]
    fn values_tokens_and_choices_are_told_apart() {
        assert_eq!(tree("key field end-ms q"), "key:key field:text end-ms:integer q:double");
        assert_eq!(tree("[NX]"), "NX=nx:token?");
        assert_eq!(tree("[WINDOW ms]"), "WINDOW=ms:integer?");
        assert_eq!(tree("[FROM id|$]"), "FROM=id-or-$:oneof(id:text $=$:token)?");
        assert_eq!(
            tree("CLOCK SERVER|STREAM"),
            "CLOCK=server-or-stream:oneof(SERVER=server:token STREAM=stream:token)"
        );
    }

    #[test]
    fn a_repetition_is_one_argument_that_may_stand_more_than_once() {
        assert_eq!(tree("key item [item ...]"), "key:key item:text+");
        assert_eq!(tree("key item..."), "key:key item:text+");
        assert_eq!(tree("field value [field value ...]"), "field-value:block(field:text value:text)+");
        assert_eq!(
            tree("[SOURCES n stream [stream ...]] [NX]"),
            "SOURCES=sources:block(n:integer stream:key+)? NX=nx:token?"
        );
    }

    #[test]
    fn a_line_that_makes_no_sense_is_an_error() {
        assert_eq!(tree("[NX"), "a [ without its ]");
        assert_eq!(tree("NX]"), "a ] without its [");
        assert_eq!(tree("[]"), "nothing between [ and ]");
        assert_eq!(tree("item [field ...]"), "a repetition of something else");
        assert_eq!(tree("item [...]"), "a repetition of nothing");
    }

    #[test]
    fn keys_are_found_where_they_stand() {
        let keys = |line| keys(&arguments(line).unwrap());
        assert_eq!(keys("key end-ms"), [Keys::At(1)]);
        assert_eq!(keys("key source last-id"), [Keys::At(1), Keys::At(2)]);
        assert_eq!(keys("key [SOURCES n stream...] [NX]"), [Keys::At(1), Keys::CountedAfter("SOURCES".to_owned())]);
        assert_eq!(keys("key numkeys source [source ...]"), [Keys::At(1), Keys::CountedAt(2)]);
        assert_eq!(keys("[NX]"), []);
    }
}
