//! `EDDY.CREATE`: what to watch.

use super::arguments::{Arguments, CommandError, parse};
use super::entry_id::EntryId;
use crate::keys::Companions;

/// Most dimensions, crosses and measures of a monitor.
pub const MAX_FIELDS: usize = 16;
/// Most unique fields of a monitor.
pub const MAX_UNIQUES: usize = 8;
/// Most sources of a monitor.
pub const MAX_SOURCES: usize = 16;
/// Most fields of which only a hash is stored.
pub const MAX_HASHED: usize = 16;
/// Most parts of a cross.
pub const MAX_PARTS: usize = 3;

const OPTIONS: &str =
    "SOURCES FROM CLOCK WINDOW BUCKETS RETENTION MEMORY DIMENSIONS CROSSES MEASURES UNIQUES HASHED SALT NX DRYRUN";

/// Where a sourced monitor starts to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum From {
    /// With the next entry.
    #[default]
    Now,
    /// After this id.
    After(EntryId),
}

/// Who moves a monitor's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// The server's clock, as well as entries.
    #[default]
    Server,
    /// Entries and `EDDY.CLOSE` alone.
    Stream,
}

/// A measure, with the upper edge of its first log bucket where one is given as `field@edge`.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// The field.
    pub field: String,
    /// Upper edge of the first bucket, in the measure's unit.
    pub first_edge: Option<f64>,
}

/// A checked `EDDY.CREATE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Create {
    /// The monitor's key and companions.
    pub keys: Companions,
    /// Streams to read.
    pub sources: Vec<Vec<u8>>,
    /// Where to start in them.
    pub from: From,
    /// Who moves time.
    pub clock: Clock,
    /// Window length in ms, 100 to 86,400,000.
    pub window_ms: u64,
    /// Buckets of a counts block, 8 to 1024.
    pub buckets: u32,
    /// Fingerprints kept in the stream.
    pub retention: u64,
    /// Bytes that the monitor may take.
    pub memory: u64,
    /// Categorical fields.
    pub dimensions: Vec<String>,
    /// Joint items: two or three fields, at most one of them a measure.
    pub crosses: Vec<Vec<Measure>>,
    /// Numeric fields.
    pub measures: Vec<Measure>,
    /// Fields whose distinct values are counted.
    pub uniques: Vec<String>,
    /// Fields of which only a keyed hash is stored.
    pub hashed: Vec<String>,
    /// The hash's key; without it the server draws one.
    pub salt: Option<[u8; 16]>,
    /// An existing monitor is left as it is.
    pub nx: bool,
    /// Only say what it would take.
    pub dryrun: bool,
}

impl Create {
    /// Defaults for the monitor `keys`: inferred fields, no source.
    #[must_use]
    pub fn new(keys: Companions) -> Self {
        Self {
            keys,
            sources: Vec::new(),
            from: From::Now,
            clock: Clock::Server,
            window_ms: 5000,
            buckets: 32,
            retention: 20_000,
            memory: 1 << 20,
            dimensions: Vec::new(),
            crosses: Vec::new(),
            measures: Vec::new(),
            uniques: Vec::new(),
            hashed: Vec::new(),
            salt: None,
            nx: false,
            dryrun: false,
        }
    }

    /// Whether no field is given, so that all are inferred.
    #[must_use]
    pub fn inferred(&self) -> bool {
        self.dimensions.is_empty() && self.crosses.is_empty() && self.measures.is_empty() && self.uniques.is_empty()
    }

    /// Reads the arguments after the command's name.
    ///
    /// # Errors
    /// The first argument that isn't allowed.
    pub fn parse(arguments: &[&[u8]]) -> Result<Self, CommandError> {
        let mut args = Arguments::new("eddy.create", arguments);
        let create = Self::new(Companions::of(args.required()?)?).with_options(args)?;
        if create.sources.iter().any(|source| source == create.keys.monitor()) {
            return Err(CommandError::Conflict("a monitor can't be its own source".to_owned()));
        }
        Ok(create)
    }

    /// The monitor `keys` of these sources, with the options that would follow them. It isn't a key of the server, so it may
    /// have the name of a source.
    ///
    /// # Errors
    /// The first argument that isn't allowed.
    pub fn of_sources(keys: Companions, sources: &[Vec<u8>], options: &[&[u8]]) -> Result<Self, CommandError> {
        let n = sources.len().to_string();
        let mut words: Vec<&[u8]> = vec![b"SOURCES", n.as_bytes()];
        words.extend(sources.iter().map(Vec::as_slice));
        words.extend(options);
        Self::new(keys).with_options(Arguments::new("eddy.create", &words))
    }

    fn with_options(mut self, mut args: Arguments<'_>) -> Result<Self, CommandError> {
        let create = &mut self;
        let mut seen: Vec<&'static str> = Vec::new();
        let mut position = 0;
        while let Some(word) = args.optional() {
            let option = option(word)?;
            if seen.contains(&option) {
                return Err(CommandError::Twice(option));
            }
            seen.push(option);
            match option {
                "SOURCES" if position > 0 => {
                    return Err(CommandError::Conflict("SOURCES must stand directly after the key".to_owned()));
                }
                "SOURCES" => {
                    create.sources = args.names("SOURCES", MAX_SOURCES)?.iter().map(|s| s.to_vec()).collect();
                }
                "FROM" => create.from = from(&mut args)?,
                "CLOCK" => create.clock = clock(&mut args)?,
                "WINDOW" => {
                    create.window_ms = args.number("WINDOW", 100..=86_400_000, "100 to 86400000 ms")?;
                }
                "BUCKETS" => create.buckets = args.number("BUCKETS", 8..=1024, "8 to 1024")?,
                "RETENTION" => {
                    create.retention = args.number("RETENTION", 100..=10_000_000, "100 to 10000000")?;
                }
                "MEMORY" => {
                    create.memory = args.number("MEMORY", 16_384..=1 << 26, "16384 to 67108864 bytes")?;
                }
                "DIMENSIONS" => {
                    create.dimensions = fields("DIMENSIONS", &args.names("DIMENSIONS", MAX_FIELDS)?)?;
                }
                "CROSSES" => {
                    let names = args.names("CROSSES", MAX_FIELDS)?;
                    create.crosses = names.iter().map(|name| cross(name)).collect::<Result<_, _>>()?;
                }
                "MEASURES" => {
                    let names = args.names("MEASURES", MAX_FIELDS)?;
                    create.measures = names.iter().map(|name| measure("MEASURES", name)).collect::<Result<_, _>>()?;
                }
                "UNIQUES" => {
                    create.uniques = fields("UNIQUES", &args.names("UNIQUES", MAX_UNIQUES)?)?;
                }
                "HASHED" => create.hashed = fields("HASHED", &args.names("HASHED", MAX_HASHED)?)?,
                "SALT" => create.salt = Some(salt(&mut args)?),
                "NX" => create.nx = true,
                _ => create.dryrun = true,
            }
            position += 1;
        }
        self.check(&seen)?;
        Ok(self)
    }

    /// The arguments that parse to this value, command name included.
    #[must_use]
    pub fn to_arguments(&self) -> Vec<Vec<u8>> {
        let mut args = vec![b"EDDY.CREATE".to_vec(), self.keys.monitor().to_vec()];
        let list = |args: &mut Vec<Vec<u8>>, option: &str, names: Vec<Vec<u8>>| {
            if !names.is_empty() {
                args.extend([option.into(), names.len().to_string().into_bytes()]);
                args.extend(names);
            }
        };
        list(&mut args, "SOURCES", self.sources.clone());
        if let From::After(id) = self.from {
            args.extend([b"FROM".to_vec(), id.to_string().into_bytes()]);
        }
        if self.clock == Clock::Stream {
            args.extend([b"CLOCK".to_vec(), b"stream".to_vec()]);
        }
        let numbers = [
            ("WINDOW", self.window_ms),
            ("BUCKETS", self.buckets.into()),
            ("RETENTION", self.retention),
            ("MEMORY", self.memory),
        ];
        for (option, value) in numbers {
            args.extend([option.into(), value.to_string().into_bytes()]);
        }
        let text = |names: &[String]| names.iter().map(|name| name.clone().into_bytes()).collect();
        list(&mut args, "DIMENSIONS", text(&self.dimensions));
        let crosses = self.crosses.iter().map(|parts| parts.iter().map(spell).collect::<Vec<_>>().join("*"));
        list(&mut args, "CROSSES", crosses.map(String::into_bytes).collect());
        list(&mut args, "MEASURES", self.measures.iter().map(|m| spell(m).into_bytes()).collect());
        list(&mut args, "UNIQUES", text(&self.uniques));
        list(&mut args, "HASHED", text(&self.hashed));
        if let Some(salt) = self.salt {
            args.extend([b"SALT".to_vec(), format!("{:032x}", u128::from_be_bytes(salt)).into_bytes()]);
        }
        if self.nx {
            args.push(b"NX".to_vec());
        }
        if self.dryrun {
            args.push(b"DRYRUN".to_vec());
        }
        args
    }

    fn check(&self, seen: &[&str]) -> Result<(), CommandError> {
        if seen.contains(&"FROM") && self.sources.is_empty() {
            return Err(CommandError::Conflict("FROM needs SOURCES".to_owned()));
        }
        let is_measure = |part: &Measure| {
            part.first_edge.is_some() || self.measures.iter().any(|measure| measure.field == part.field)
        };
        for parts in &self.crosses {
            let measures = parts.iter().filter(|part| is_measure(part)).count();
            if measures > 1 || measures == parts.len() {
                let name = parts.iter().map(spell).collect::<Vec<_>>().join("*");
                return Err(CommandError::Conflict(format!(
                    "CROSSES: '{name}' must have at least one dimension and at most one measure"
                )));
            }
        }
        if let Some(both) = self.dimensions.iter().find(|name| self.measures.iter().any(|m| &m.field == *name)) {
            return Err(CommandError::Conflict(format!("'{both}' is both a dimension and a measure")));
        }
        if let Some(hashed) = self.hashed.iter().find(|name| self.measures.iter().any(|m| &m.field == *name)) {
            return Err(CommandError::Conflict(format!("measure '{hashed}' can't be HASHED: its numbers are needed")));
        }
        if self.salt.is_some() && self.hashed.is_empty() {
            return Err(CommandError::Conflict("SALT needs HASHED".to_owned()));
        }
        Ok(())
    }
}

fn option(word: &[u8]) -> Result<&'static str, CommandError> {
    OPTIONS
        .split(' ')
        .find(|option| option.as_bytes().eq_ignore_ascii_case(word))
        .ok_or_else(|| CommandError::UnknownOption(crate::text::printable(word, 64), OPTIONS))
}

fn salt(args: &mut Arguments<'_>) -> Result<[u8; 16], CommandError> {
    const ALLOWED: &str = "32 hexadecimal digits";
    let digits = args.optional().ok_or(CommandError::NeedsValue("SALT", ALLOWED))?;
    let number = Some(digits).filter(|digits| digits.len() == 32 && digits.iter().all(u8::is_ascii_hexdigit));
    let number = number.and_then(|digits| u128::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
    // the key is a secret, so it isn't repeated in the error
    number.map(u128::to_be_bytes).ok_or_else(|| CommandError::value("SALT", ALLOWED, b"something else"))
}

pub(super) fn from(args: &mut Arguments<'_>) -> Result<From, CommandError> {
    const ALLOWED: &str = "an entry id or $";
    match args.optional() {
        None => Err(CommandError::NeedsValue("FROM", ALLOWED)),
        Some(b"$") => Ok(From::Now),
        Some(id) => EntryId::parse(id).map(From::After).ok_or_else(|| CommandError::value("FROM", ALLOWED, id)),
    }
}

pub(super) fn clock(args: &mut Arguments<'_>) -> Result<Clock, CommandError> {
    const ALLOWED: &str = "server or stream";
    match args.optional() {
        None => Err(CommandError::NeedsValue("CLOCK", ALLOWED)),
        Some(word) if word.eq_ignore_ascii_case(b"server") => Ok(Clock::Server),
        Some(word) if word.eq_ignore_ascii_case(b"stream") => Ok(Clock::Stream),
        Some(word) => Err(CommandError::value("CLOCK", ALLOWED, word)),
    }
}

/// A field's name: UTF-8 without control characters, `*` and `@`, which join crosses and give ranges.
fn field(option: &'static str, name: &[u8]) -> Result<String, CommandError> {
    std::str::from_utf8(name)
        .ok()
        .filter(|text| !text.is_empty() && !text.chars().any(|c| c.is_control() || c == '*' || c == '@'))
        .map(str::to_owned)
        .ok_or_else(|| CommandError::value(option, "UTF-8 names without control characters, '*' and '@'", name))
}

fn fields(option: &'static str, names: &[&[u8]]) -> Result<Vec<String>, CommandError> {
    names.iter().map(|name| field(option, name)).collect()
}

fn measure(option: &'static str, name: &[u8]) -> Result<Measure, CommandError> {
    let Some(at) = name.iter().rposition(|&b| b == b'@') else {
        return Ok(Measure { field: field(option, name)?, first_edge: None });
    };
    let edge = parse(&name[at + 1..])
        .filter(|edge: &f64| (1e-12..=1e12).contains(edge))
        .ok_or_else(|| CommandError::value(option, "field@edge with an edge from 1e-12 to 1e12", name))?;
    Ok(Measure { field: field(option, &name[..at])?, first_edge: Some(edge) })
}

fn cross(name: &[u8]) -> Result<Vec<Measure>, CommandError> {
    let parts: Vec<Measure> =
        name.split(|&b| b == b'*').map(|part| measure("CROSSES", part)).collect::<Result<_, _>>()?;
    let differ = parts.iter().enumerate().all(|(i, part)| parts[..i].iter().all(|other| other.field != part.field));
    if !(2..=MAX_PARTS).contains(&parts.len()) || !differ {
        return Err(CommandError::value("CROSSES", "two or three different fields joined by '*'", name));
    }
    Ok(parts)
}

fn spell(measure: &Measure) -> String {
    match measure.first_edge {
        Some(edge) => format!("{}@{edge}", measure.field),
        None => measure.field.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse_line(line: &str) -> Result<Create, String> {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        Create::parse(&words).map_err(|error| error.to_string())
    }

    #[test]
    fn every_option_is_read() {
        let create = parse_line(
            "checkout SOURCES 2 metrics more FROM 5-1 CLOCK stream WINDOW 1000 BUCKETS 64 RETENTION 500 MEMORY 65536 \
             DIMENSIONS 2 service status CROSSES 2 service*status peer*latency_ms MEASURES 1 latency_ms@0.25 UNIQUES 1 \
             user HASHED 1 user SALT 000102030405060708090a0b0c0d0e0F NX DRYRUN",
        )
        .unwrap();
        assert_eq!(create.sources, [b"metrics".to_vec(), b"more".to_vec()]);
        assert_eq!(create.from, From::After(EntryId { ms: 5, seq: 1 }));
        assert_eq!(create.clock, Clock::Stream);
        assert_eq!((create.window_ms, create.buckets, create.retention, create.memory), (1000, 64, 500, 65_536));
        assert_eq!(create.measures, [Measure { field: "latency_ms".to_owned(), first_edge: Some(0.25) }]);
        assert_eq!(create.crosses.len(), 2);
        assert_eq!(create.hashed, ["user"]);
        assert_eq!(create.salt, Some([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]));
        assert!(create.nx && create.dryrun && !create.inferred());
        assert!(parse_line("checkout").unwrap().inferred());
    }

    #[test]
    fn a_monitor_without_a_key_may_have_the_name_of_its_source() {
        let of = |options: &[&[u8]]| {
            let keys = Companions::of(b"metrics").unwrap();
            Create::of_sources(keys, &[b"metrics".to_vec()], options).map_err(|error| error.to_string())
        };
        let create = of(&[b"FROM", b"0", b"WINDOW", b"1000"]).unwrap();
        assert_eq!((create.sources, create.window_ms), (vec![b"metrics".to_vec()], 1000));
        assert_eq!(of(&[b"SOURCES", b"1", b"more"]).unwrap_err(), "ERR option SOURCES is given twice");
    }

    #[test]
    fn each_mistake_has_its_own_message() {
        let cases = [
            ("", "ERR a monitor's name is 1 to 1024 bytes"),
            ("{a}", "ERR braces in a monitor's name must be one non-empty {tag} plus more text, as in {shop}:checkout"),
            ("m WINDOW", "ERR option WINDOW needs 100 to 86400000 ms"),
            ("m WINDOW 5s", "ERR WINDOW must be 100 to 86400000 ms, got '5s'"),
            ("m WINDOW 99", "ERR WINDOW must be 100 to 86400000 ms, got '99'"),
            ("m WINDOW 1000 window 1000", "ERR option WINDOW is given twice"),
            ("m CLOCK wall", "ERR CLOCK must be server or stream, got 'wall'"),
            ("m FROM 0", "ERR FROM needs SOURCES"),
            ("m SOURCES 2 s m", "ERR a monitor can't be its own source"),
            ("m NX SOURCES 1 s", "ERR SOURCES must stand directly after the key"),
            ("m SOURCES 2 s", "ERR option SOURCES needs a number n and then n names"),
            ("m SOURCES 17 s", "ERR SOURCES must be 1 to 16 names, got '17'"),
            ("m DIMENSIONS 2 a a", "ERR DIMENSIONS must be names that differ, got 'a'"),
            ("m CROSSES 1 a", "ERR CROSSES must be two or three different fields joined by '*', got 'a'"),
            ("m CROSSES 1 a*a", "ERR CROSSES must be two or three different fields joined by '*', got 'a*a'"),
            ("m MEASURES 1 a@x", "ERR MEASURES must be field@edge with an edge from 1e-12 to 1e12, got 'a@x'"),
            ("m MEASURES 1 a HASHED 1 a", "ERR measure 'a' can't be HASHED: its numbers are needed"),
            ("m SALT 00000000000000000000000000000000", "ERR SALT needs HASHED"),
            ("m HASHED 1 a SALT 12", "ERR SALT must be 32 hexadecimal digits, got 'something else'"),
            ("m DIMENSIONS 1 a MEASURES 1 a", "ERR 'a' is both a dimension and a measure"),
            (
                "m CROSSES 1 a*b MEASURES 2 a b",
                "ERR CROSSES: 'a*b' must have at least one dimension and at most one measure",
            ),
        ];
        for (line, message) in cases {
            assert_eq!(parse_line(line), Err(message.to_owned()), "{line}");
        }
        assert!(
            parse_line("m WINDOWS 5").unwrap_err().starts_with("ERR unknown option 'WINDOWS'. Options are: SOURCES")
        );
        assert_eq!(Create::parse(&[]), Err(CommandError::Arity("eddy.create")));
    }

    proptest! {
        #[test]
        fn any_words_parse_or_are_refused(words in prop::collection::vec(prop_oneof![
            prop::sample::select(OPTIONS.split(' ').map(str::to_owned).collect::<Vec<_>>()), "[a-z0-9*@$.-]{0,6}"], 0..16)) {
            let words: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
            if let Ok(create) = Create::parse(&words) {
                let spelled = create.to_arguments();
                let again: Vec<&[u8]> = spelled[1..].iter().map(Vec::as_slice).collect();
                prop_assert_eq!(Create::parse(&again).unwrap(), create);
            }
        }

        #[test]
        fn any_bytes_parse_or_are_refused(words: Vec<Vec<u8>>) {
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            let _ = Create::parse(&words);
        }
    }
}
