//! The whole command surface on one screen.

use super::grammar::{self, Argument, Keys};

/// One command: how it is registered, and what `EDDY.HELP` and `COMMAND DOCS` say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// Name, as `COMMAND INFO` shows it.
    pub name: &'static str,
    /// Its arguments, as `EDDY.HELP` prints them.
    pub arguments: &'static str,
    /// One line: what it does.
    pub summary: &'static str,
    /// Arguments including the name; negative = at least.
    pub arity: i32,
    /// Flags of registration; `admin` makes a command `@dangerous`.
    pub flags: &'static str,
    /// Whether `EDDY.HELP` hides it.
    pub internal: bool,
    /// Cost.
    pub complexity: &'static str,
    /// Hints for clients, as Redis names them.
    pub tips: &'static str,
    /// Whether a command that changes its first key also replies with what the key holds: it takes both rights.
    pub reads: bool,
    /// Category of access control of its family.
    pub family: &'static str,
}

impl Command {
    pub(super) const fn with_tips(mut self, tips: &'static str) -> Self {
        self.tips = tips;
        self
    }

    /// Its arguments as a tree.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub fn tree(&self) -> Result<Vec<Argument>, &'static str> {
        grammar::arguments(self.arguments)
    }

    /// Where its keys stand.
    ///
    /// # Errors
    /// What is wrong with the line of arguments.
    pub fn keys(&self) -> Result<Vec<Keys>, &'static str> {
        Ok(grammar::keys(&self.tree()?))
    }

    /// Whether it changes its first key.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.has("write")
    }

    /// The categories of access control that it belongs to. Internal commands stay out of `@eddy`: who may use eddyline
    /// has no use for them.
    pub fn categories(&self) -> impl Iterator<Item = &'static str> {
        let [write, read, fast] = [self.writes(), self.has("readonly"), self.has("fast")];
        let all = [
            ("write", write),
            ("read", read),
            ("fast", fast),
            ("slow", !fast),
            ("admin", self.internal),
            ("dangerous", self.internal),
            (self.family, !self.internal),
        ];
        all.into_iter().filter(|(_, belongs)| *belongs).map(|(category, _)| category)
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.split(' ').any(|word| word == flag)
    }
}

/// Our own category of access control, on servers that can have one.
pub const CATEGORY: &str = "eddy";

/// The reply depends on the time.
const CHANGES_WITH_TIME: &str = "nondeterministic_output";

pub(super) const fn keyed(
    name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    arity: i32,
    flags: &'static str,
    complexity: &'static str,
) -> Command {
    Command {
        name,
        arguments,
        summary,
        arity,
        flags,
        internal: false,
        complexity,
        tips: "",
        reads: false,
        family: CATEGORY,
    }
}

pub(super) const fn internal(
    name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    arity: i32,
) -> Command {
    Command {
        name,
        arguments,
        summary,
        arity,
        flags: "write admin",
        internal: true,
        complexity: "O(N) with N entries or features",
        tips: "",
        reads: false,
        family: CATEGORY,
    }
}

const fn keyless(name: &'static str, summary: &'static str, flags: &'static str) -> Command {
    keyed(name, "", summary, 1, flags, "O(N)")
}

/// Every command, in the order of `EDDY.HELP`.
pub const COMMANDS: &[Command] = &[
    keyed(
        "EDDY.CREATE",
        "key [SOURCES n stream [stream ...]] [FROM id|$] [CLOCK SERVER|STREAM] [WINDOW ms] [BUCKETS b] [RETENTION n] \
         [MEMORY bytes] [DIMENSIONS n field [field ...]] [CROSSES n a*b [a*b ...]] [MEASURES n field [field ...]] \
         [UNIQUES n field [field ...]] [HASHED n field [field ...]] [SALT hex] [NX] [DRYRUN]",
        "Makes a monitor; with no list of fields, they are inferred from the first observations.",
        -2,
        "write deny-oom",
        "O(B) with B bytes of the monitor",
    ),
    keyed(
        "EDDY.OBSERVE",
        "key field value [field value ...]",
        "Counts one observation. Replies with the observations in the open window.",
        -4,
        "write fast",
        "O(N) with N fields",
    )
    .with_tips(CHANGES_WITH_TIME),
    keyed(
        "EDDY.MOBSERVE",
        "key n field [field ...] value [value ...]",
        "Counts up to 1000 observations that share one list of fields.",
        -5,
        "write",
        "O(N) with N values",
    )
    .with_tips(CHANGES_WITH_TIME),
    keyed(
        "EDDY.COUNT",
        "key dimension item [item ...]",
        "For each item: how often it was counted in the open window and in the last one, and a window in the long run.",
        -4,
        "readonly",
        "O(N) with N items",
    ),
    keyed(
        "EDDY.TOP",
        "key dimension [k]",
        "The heaviest items of the open window and of the last one, with their counts.",
        -3,
        "readonly",
        "O(1)",
    ),
    keyed(
        "EDDY.QUANTILE",
        "key measure q [q ...]",
        "Quantiles of a measure in the last closed window.",
        -4,
        "readonly",
        "O(N) with N quantiles",
    ),
    keyed(
        "EDDY.FINGERPRINT",
        "key [ID id]",
        "The last fingerprint, or the one under an id: every number by name, buckets where they aren't 0.",
        -2,
        "readonly",
        "O(N) with N features",
    )
    .with_tips(CHANGES_WITH_TIME),
    keyed(
        "EDDY.SCHEMA",
        "key",
        "The schema's id and the features in vector order.",
        2,
        "readonly",
        "O(N) with N features",
    ),
    keyed(
        "EDDY.INFO",
        "key",
        "State, open window, sources, memory and what was left out, by reason.",
        2,
        "readonly",
        "O(1)",
    )
    .with_tips(CHANGES_WITH_TIME),
    keyed(
        "EDDY.ALTER",
        "key [SOURCES n stream [stream ...]] [FROM id|$] [CLOCK SERVER|STREAM] [PAUSED YES|NO] [RETENTION n]",
        "Changes sources, clock or retention of a monitor, stops or resumes it. What it counts stays as it was made.",
        -4,
        "write deny-oom",
        "O(1)",
    ),
    keyed(
        "EDDY.RESET",
        "key",
        "Forgets what was counted; the definition, the sources' places and waiting fingerprints stay.",
        2,
        "write",
        "O(B) with B bytes of the monitor",
    ),
    keyless("EDDY.LIST", "The monitors of this database on this node.", "readonly")
        .with_tips("request_policy:all_shards"),
    keyless("EDDY.HELP", "This text.", "readonly fast"),
    // names no key: while a slot moves, the server would let nobody but a client in
    internal("EDDY.CATCHUP", "monitor us", "Read a slice of what sources had before.", 3),
    internal("EDDY.CLOSE", "key end-ms", "Time has come to a window boundary.", 3),
    internal("EDDY.READ", "key source last-id", "Count a source's entries up to an id.", 4),
    internal("EDDY.RESTORE", "key payload", "Puts a monitor back from an append-only file.", 3),
    internal("EDDY.SENT", "key end-ms [LOST]", "The fingerprints up to a window end stand in the stream.", -3),
];

/// The lines of `EDDY.HELP`.
pub fn help() -> impl Iterator<Item = String> {
    COMMANDS.iter().filter(|command| !command.internal).flat_map(|command| {
        [format!("{} {}", command.name, command.arguments).trim_end().to_owned(), format!("    {}", command.summary)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_hides_internal_commands() {
        let text: Vec<String> = help().collect();
        assert!(text.contains(&"EDDY.SCHEMA key".to_owned()));
        assert!(!text.iter().any(|line| line.contains("EDDY.SENT")));
    }

    #[test]
    fn every_line_of_arguments_is_a_grammar_that_agrees_with_the_arity() {
        for command in COMMANDS {
            let tree = command.tree().unwrap_or_else(|wrong| panic!("{}: {wrong}", command.name));
            let least: usize = 1 + tree.iter().filter(|argument| !argument.optional).map(width).sum::<usize>();
            let open = tree.iter().any(|argument| argument.optional || argument.multiple);
            assert_eq!(command.arity < 0, open, "{}", command.name);
            // a command may ask for one of its options
            let arity = command.arity.unsigned_abs() as usize;
            assert!(if open { arity >= least } else { arity == least }, "{}: {least}", command.name);
        }
    }

    /// Words that an argument takes at least.
    fn width(argument: &Argument) -> usize {
        use grammar::Kind;
        match &argument.kind {
            Kind::Token => 1,
            Kind::Block(of) => usize::from(argument.token.is_some()) + of.iter().map(width).sum::<usize>(),
            _ => usize::from(argument.token.is_some()) + 1,
        }
    }

    #[test]
    fn categories_follow_from_the_flags_and_internal_commands_are_dangerous() {
        let of = |name: &str| {
            let command = COMMANDS.iter().find(|command| command.name == name).unwrap();
            command.categories().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("EDDY.OBSERVE"), "write fast eddy");
        assert_eq!(of("EDDY.SCHEMA"), "read slow eddy");
        assert_eq!(of("EDDY.SENT"), "write slow admin dangerous");
    }
}
